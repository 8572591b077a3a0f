"""The functions of the standard and of ROOT's dialect: numbers that depend on parameters and observables."""
