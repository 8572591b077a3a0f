def log_integral_of(log_density, limits, breaks, panels):
    raise NotImplementedError
