"""Results as tables for papers and notebooks: Markdown, LaTeX, HTML; numbers rounded by the PDG rule.

from histjax import tables

print(tables.ranking_table(ranking).latex())
"""

from histjax.tables.parameters import parameters_table as parameters_table
from histjax.tables.posteriors import criteria_table as criteria_table
from histjax.tables.posteriors import samples_table as samples_table
from histjax.tables.results import fit_table as fit_table
from histjax.tables.results import limit_table as limit_table
from histjax.tables.results import measured as measured
from histjax.tables.results import pulls_table as pulls_table
from histjax.tables.results import ranking_table as ranking_table
from histjax.tables.results import yields_table as yields_table
from histjax.tables.table import Table as Table
