"""HS3, the HEP Statistics Serialization Standard: documents, densities, and analyses as likelihoods.

- `nodes`: what a distribution or function is; `densities`, `functions`, `composites`: those of the standard and of
  ROOT's dialect; `kinds`: the tables of their types; `expressions`: the language of the generic ones.
- `records`, `reading`, `reading_data`, `checking`, `workspace`: from a document to typed records.
- `graph`: values of all nodes at one point; `quadrature`, `precision`: integrals without a closed form.
- `choices`, `plan`, `constraints`, `channels`, `compiling`: from an analysis to a likelihood; `terms`, `drawing`,
  `likelihood`: its log density, and what is expected and drawn.
- `histfactory`: `histfactory_dist` and HistFactory workspaces, either from the other.
- `models`: densities by name, for numbers.
"""

from histjax.hs3.histfactory import Options as Options
from histjax.hs3.likelihood import HS3Likelihood as HS3Likelihood
from histjax.hs3.models import Model as Model
from histjax.hs3.plan import Events as Events
from histjax.hs3.plan import Measured as Measured
from histjax.hs3.workspace import Workspace as Workspace
