"""Files of spectra and responses in the formats of OGIP: PHA (OGIP/92-007), RMF and ARF (CAL/GEN/92-002)."""

from histjax.spectra.ogip.reading import read_ogip as read_ogip
from histjax.spectra.ogip.reading import read_response as read_response
