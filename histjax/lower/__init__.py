"""From the spec to arrays: what is static (`layout`) and what is numbers exactly as written (`templates`)."""
