"""Whether chains have converged: rank-normalised split R-hat, effective sample sizes, divergences (by arviz)."""

import warnings
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from histjax.bayes.extras import package

LARGEST_R_HAT = 1.01
FEWEST_EFFECTIVE = 400
"""arXiv:1903.08008, section 4: R-hat below 1.01, and 400 effective draws for its own figures to be stable."""
MARKOV = ("nuts", "emcee")
"""Samplers whose draws are chains."""


class Convergence(NamedTuple):
    """Figures of arXiv:1903.08008, by free component, `(free,)`.

    `r_hat` is NaN for independent draws. `ess_bulk` and `ess_tail` are effective numbers of draws for the centre and
    for the 5 and 95 % quantiles, `mcse` the uncertainty of the mean from the finite number of draws, `n_divergent` the
    draws at the end of a divergent trajectory. `converged` asks for all of it; `message` says what is missing.
    """

    names: tuple[str, ...]
    r_hat: Float[np.ndarray, "free"]
    ess_bulk: Float[np.ndarray, "free"]
    ess_tail: Float[np.ndarray, "free"]
    mcse: Float[np.ndarray, "free"]
    n_divergent: int

    @property
    def converged(self) -> bool:
        """Whether the draws are to be believed."""
        return self.message == "converged"

    @property
    def message(self) -> str:
        """One sentence, and what to try."""
        complaints = []
        if np.any(~(self.r_hat <= LARGEST_R_HAT) & ~np.isnan(self.r_hat)):
            worst = int(np.nanargmax(self.r_hat))
            complaints.append(f"R-hat of {self.names[worst]} is {self.r_hat[worst]:.3f}, above {LARGEST_R_HAT}")
        fewest = np.minimum(self.ess_bulk, self.ess_tail)
        if np.any(~(fewest >= FEWEST_EFFECTIVE)):
            worst = int(np.argmin(np.nan_to_num(fewest)))
            complaints.append(f"{self.names[worst]} has {fewest[worst]:.0f} effective draws, below {FEWEST_EFFECTIVE}")
        advice = "take more draws"
        if self.n_divergent:
            complaints.append(f"{self.n_divergent} divergent trajectories")
            advice = "take more draws, or a target_acceptance nearer to 1"
        return f"not converged: {'; '.join(complaints)}: {advice}" if complaints else "converged"


def convergence_of(samples) -> Convergence:
    """See `Convergence`; of `Samples`. Raises `MissingExtra` where arviz is not installed."""
    az, draws = package("arviz"), samples.vectors[..., list(samples.free)]
    is_markov = samples.sampler in MARKOV
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # constant draws: the figures are NaN, and the message says so
        halves = draws if draws.shape[0] > 1 else np.stack(np.array_split(draws[0][: draws.shape[1] // 2 * 2], 2))
        data, split = (az.convert_to_dataset({"x": each}) for each in (draws, halves))
        r_hat = az.rhat(split)["x"].values if is_markov else np.full(len(samples.free), np.nan)
        bulk, tail = (az.ess(data, method=method)["x"].values for method in ("bulk", "tail"))
    if "n_effective" in samples.statistics:
        bulk = tail = np.full(len(samples.free), float(samples.statistics["n_effective"][0, 0]))
    spread = np.std(draws.reshape(-1, draws.shape[-1]), axis=0)
    divergent = int(np.sum(samples.statistics.get("is_divergent", 0)))
    return Convergence(samples.free_names, *map(np.atleast_1d, (r_hat, bulk, tail, spread / np.sqrt(bulk))), divergent)
