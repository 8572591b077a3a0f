"""Front ends: text to the records of `histjax.spec`, and back. Imports no JAX."""

from histjax.readers.archives import Archive as Archive
from histjax.readers.archives import PublishedLikelihood as PublishedLikelihood
from histjax.readers.archives import read_archive as read_archive
from histjax.readers.digests import digest as digest
from histjax.readers.documents import load_json as load_json
from histjax.readers.foreign import is_hs3 as is_hs3
from histjax.readers.patches import apply_patch as apply_patch
from histjax.readers.patches import read_patch as read_patch
from histjax.readers.patchsets import Patch as Patch
from histjax.readers.patchsets import PatchSet as PatchSet
from histjax.readers.patchsets import read_patchset as read_patchset
from histjax.readers.pyhf import read_workspace as read_workspace
from histjax.readers.pyhf import write_workspace as write_workspace
from histjax.readers.simple import correlated_background as correlated_background
from histjax.readers.simple import uncorrelated_background as uncorrelated_background
from histjax.readers.variants import Variant as Variant
from histjax.readers.variants import read_variants as read_variants
