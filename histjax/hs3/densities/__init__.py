"""The densities of the standard and of ROOT's dialect, by family; each file holds a handful of them.

What all of them keep to:

- `log_density` is ln f before normalisation, `log_integral` the logarithm of its integral over `at.limits`, in closed
  form or by panels that follow the shape (to 1e-10 or better, said where less); `None` where only the general
  quadrature is left. A closed form holds where nothing but the field that is distributed depends on the observable.
- Outside its support a density is 0: the logarithm is `-inf`, all derivatives are 0.
- Parameters for which there is no density (a width that is not above 0, a mean below 0 of counts, a polynomial below 0)
  give "not a number" in the logarithm, so that the mistake stays visible in sums of densities. A divergent integral is
  `+inf`.
"""
