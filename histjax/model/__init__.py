"""The statistical model as pure JAX functions of one parameter point and one dataset. Never imports `spec`."""
