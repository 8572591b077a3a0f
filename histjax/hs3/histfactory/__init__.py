"""HS3's `histfactory_dist` and our `Workspace`: either from the other."""

from histjax.hs3.histfactory.options import Options as Options
from histjax.hs3.histfactory.pyhf import workspace_of as workspace_of
from histjax.hs3.histfactory.translation import Translation as Translation
from histjax.hs3.histfactory.translation import WantedFactor as WantedFactor
from histjax.hs3.histfactory.translation import translate as translate
from histjax.hs3.histfactory.writing import document_of as document_of
