"""A table of texts, and the languages in which it can be written."""

import html
from dataclasses import dataclass

_LATEX = {
    "\\": r"\textbackslash{}",
    "_": r"\_",
    "%": r"\%",
    "&": r"\&",
    "#": r"\#",
    "$": r"\$",
    "{": r"\{",
    "}": r"\}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
}

PLUS_MINUS = "±"


@dataclass(frozen=True)
class Table:
    """A table: its first column is text, the others are numbers.

    **Fields:** `columns`: their names; `rows`: texts, as many in each as there are columns; `ruled`: places of the rows
    that have a line above them. A notebook shows it as HTML, `print` as Markdown.

    >>> print(Table(("sample", "events"), (("ttbar", "12.0 ± 1.5"),)))
    | sample | events |
    |:--|--:|
    | ttbar | 12.0 ± 1.5 |
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    ruled: frozenset[int] = frozenset()

    def markdown(self) -> str:
        """As a Markdown table (GitHub's form); lines between rows are not a part of it."""
        marks = [":--"] + ["--:"] * (len(self.columns) - 1)
        lines = [self.columns, *self.rows]
        shown = [f"| {' | '.join(map(_markdown, line))} |" for line in lines]
        return "\n".join([shown[0], f"|{'|'.join(marks)}|", *shown[1:]])

    def latex(self) -> str:
        r"""As a `tabular` with the rules of the package booktabs.

        >>> print(Table(("sample", "events"), (("t_t", "12.0 ± 1.5"),)).latex())
        \begin{tabular}{lr}
        \toprule
        sample & events \\
        \midrule
        t\_t & $12.0 \pm 1.5$ \\
        \bottomrule
        \end{tabular}
        """
        rows = []
        for place, row in enumerate(self.rows):
            rows += [r"\midrule"] if place in self.ruled and place else []
            rows.append(rf"{' & '.join(map(_latex, row))} \\")
        head = rf"{' & '.join(map(_latex, self.columns))} \\"
        alignment = "l" + "r" * (len(self.columns) - 1)
        begin = rf"\begin{{tabular}}{{{alignment}}}"
        return "\n".join([begin, r"\toprule", head, r"\midrule", *rows, r"\bottomrule", r"\end{tabular}"])

    def html(self) -> str:
        """As an HTML table; styles are in place, since notebooks drop style sheets."""
        head = "".join(_cell("th", text, place, "") for place, text in enumerate(self.columns))
        body = []
        for place, row in enumerate(self.rows):
            line = "border-top:1px solid #999;" if place in self.ruled and place else ""
            body.append(f"<tr>{''.join(_cell('td', text, column, line) for column, text in enumerate(row))}</tr>")
        return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"

    def _repr_html_(self) -> str:
        return self.html()

    def __str__(self) -> str:
        return self.markdown()


def _markdown(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", r"\|")


def _latex(text: str) -> str:
    """Numbers with an uncertainty are mathematics, all else is text."""
    if _is_number(text):
        return f"${text.replace(PLUS_MINUS, chr(92) + 'pm').replace('inf', chr(92) + 'infty')}$"
    return "".join(_LATEX.get(character, character) for character in text.replace(PLUS_MINUS, r"+-"))


def _is_number(text: str) -> bool:
    parts = text.split(f" {PLUS_MINUS} ")
    try:
        return len(parts) <= 2 and all(float(part) == float(part) for part in parts)
    except ValueError:
        return False


def _cell(tag: str, text: str, column: int, style: str) -> str:
    align = "left" if column == 0 else "right"
    return f'<{tag} style="text-align:{align};{style}">{html.escape(text)}</{tag}>'
