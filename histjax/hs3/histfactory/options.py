"""How to read what HS3 documents of different origin mean by the same words."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Options:
    """Conventions of a document that it does not state itself.

    **Fields:**

    - `shapesys`: whether `vals` of a shapesys are `"relative"` uncertainties (ROOT) or `"absolute"` ones (PyHS3).
      `"auto"` takes them as relative where the modifier has a `constraint_type` or `metadata.packages` names ROOT, and
      as absolute where it has only a `constraint`.
    - `histosys`: `"absolute"` templates (ROOT, PyHS3, pyhf), or the `"delta"` to the nominal ones that the text of the
      standard describes.
    - `staterror`: the constraint of gammas, `"Gauss"` or `"Poisson"`. `"auto"` takes the `constraint_type` of the
      channel, else that of the modifiers, else Poisson. ROOT 6.40 never looks at the modifiers: `"Poisson"` gives what
      it reads in files that it has written itself.
    - `clip_sample_data`: floor on the expected yields of every sample. ROOT's is 0, pyhf has none.
    """

    shapesys: Literal["auto", "relative", "absolute"] = "auto"
    histosys: Literal["absolute", "delta"] = "absolute"
    staterror: Literal["auto", "Gauss", "Poisson"] = "auto"
    clip_sample_data: float | None = None
