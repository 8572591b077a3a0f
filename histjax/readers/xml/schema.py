"""The document type definition that ROOT's parser wants beside the files that it reads, made of the vocabulary."""

from collections.abc import Iterator

from histjax.readers.xml.elements import KINDS, Kind

NAME = "HistFactorySchema.dtd"


def schema() -> str:
    """The text of the definition: the elements, what may be in them, and their attributes.

    >>> print(schema().splitlines()[-2])
    <!ATTLIST ShapeFactor Name CDATA #REQUIRED InputFile CDATA #IMPLIED HistoPath CDATA #IMPLIED HistoName CDATA \
#IMPLIED Const CDATA #IMPLIED>
    """
    kinds = {tag: kind for tag, kind in KINDS.items() if tag != "HistoFactor"}
    return "".join(f"{line}\n" for tag, kind in kinds.items() for line in (*_lines(tag, kind), ""))


def _lines(tag: str, kind: Kind) -> Iterator[str]:
    children = [each for each in kind.children or () if each != "HistoFactor"]
    content = "(#PCDATA)" if kind.children is None else f"({' | '.join(children)})*" if children else "EMPTY"
    yield f"<!ELEMENT {tag} {content}>"
    attributes = [f"{name} CDATA #REQUIRED" for name in kind.required]
    attributes += [f"{name} CDATA #IMPLIED" for name in kind.optional]
    if attributes:
        yield f"<!ATTLIST {tag} {' '.join(attributes)}>"
