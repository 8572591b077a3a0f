"""`python -m histjax` is the command line."""

from histjax.cli import main

main()
