"""What the physicist wrote: typed, frozen records of a HistFactory workspace. Imports no JAX."""

from histjax.spec.measurement import Measurement as Measurement
from histjax.spec.measurement import ParameterConfig as ParameterConfig
from histjax.spec.modifiers import HistoSys as HistoSys
from histjax.spec.modifiers import Lumi as Lumi
from histjax.spec.modifiers import Modifier as Modifier
from histjax.spec.modifiers import NormFactor as NormFactor
from histjax.spec.modifiers import NormSys as NormSys
from histjax.spec.modifiers import ShapeFactor as ShapeFactor
from histjax.spec.modifiers import ShapeSys as ShapeSys
from histjax.spec.modifiers import StatError as StatError
from histjax.spec.workspace import Channel as Channel
from histjax.spec.workspace import Observation as Observation
from histjax.spec.workspace import Sample as Sample
from histjax.spec.workspace import Workspace as Workspace
