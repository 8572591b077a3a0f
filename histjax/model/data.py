"""A dataset: main measurement and auxiliary measurements, by name."""

import equinox as eqx
from jaxtyping import Array, Float


class Data(eqx.Module):
    """Counts per channel and auxiliary data per constrained parameter.

    **Fields:**

    - `main`: `{channel: (bins,)}`, observed or expected counts (real numbers: an Asimov dataset is not integer).
    - `aux`: `{parameter: (n,)}`, the centre of each constraint term: alpha for interpolating parameters, 1 for
      `staterror`, tau = (b/u)^2 counts for `shapesys`.
    """

    main: dict[str, Float[Array, "..."]]
    aux: dict[str, Float[Array, "..."]]


class LogpdfTerms(eqx.Module):
    """The log density term by term; the sum of all values is `logpdf`.

    **Fields:** `main` is the Poisson term of each channel, `constraints` the constraint term of each parameter; both
    `()`.
    """

    main: dict[str, Float[Array, ""]]
    constraints: dict[str, Float[Array, ""]]

    @property
    def total(self) -> Float[Array, ""]:
        """The log density."""
        return sum([*self.main.values(), *self.constraints.values()])
