"""What results print is text, wherever they are printed."""

import rich.console

from histjax.fitting.printing import columns, rendered


def test_a_notebook_gets_the_text(monkeypatch):
    """In Jupyter a console of rich displays by itself what is printed to it: the text of a result was empty there, and
    the parts of its table appeared one by one.
    """
    monkeypatch.setattr(rich.console, "_is_jupyter", lambda: True)
    table = columns(("parameter", "left"), ("best fit", "right"))
    table.add_row("mu", "0.4")
    lines = rendered("status  converged", table).splitlines()
    assert [line.split() for line in lines] == [["status", "converged"], ["parameter", "best", "fit"], ["mu", "0.4"]]
