"""The rules of `histjax.spec.check`: generators of problems."""
