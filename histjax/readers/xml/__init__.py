"""HistFactory XML with ROOT histograms, read and written through uproot. Imports no JAX."""

from histjax.readers.xml.configuration import ConstraintTerm as ConstraintTerm
from histjax.readers.xml.configuration import XMLConfiguration as XMLConfiguration
from histjax.readers.xml.reading import read_xml as read_xml
from histjax.readers.xml.writing import write_xml as write_xml
