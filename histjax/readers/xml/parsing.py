"""From the bytes of an XML file to a tree of elements that know their lines; what could do harm is refused.

A document type (`<!DOCTYPE ...>`) may be there, as ROOT wants it, and is not read: no file that it names is opened,
and a document that declares entities is refused, so that none can grow or reach outside. Names and nesting are those
of the text; what the elements mean is the business of `histjax.readers.xml.elements`.
"""

import io
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal
from xml.parsers import expat

from histjax.errors import InvalidDocument, Problem

LARGEST_FILE = 100_000_000
"""Bytes; the XML of the largest published models is a hundredth of that."""
DEEPEST = 32
"""Levels of nesting; HistFactory has three."""


@dataclass
class Element:
    """An element: its name, attributes, text, children and place.

    **Fields:** `file` is the file's name as it was given, `line` the line on which the element begins.
    """

    tag: str
    attributes: dict[str, str]
    file: str
    line: int
    text: str = ""
    children: list["Element"] = field(default_factory=list)

    @property
    def place(self) -> str:
        """File and line, for messages."""
        return f"{self.file}:{self.line}"

    def all(self, tag: str) -> list["Element"]:
        """The children of one kind."""
        return [each for each in self.children if each.tag == tag]


def read_element(source: Path | Literal["-"] | IO, name: str) -> Element:
    """The root element of a file.

    **Arguments:** `source` is the file to open, an open one, or `"-"` for the standard input; `name` what to call it in
    messages.

    **Raises:** `InvalidDocument` where the file cannot be read, is no well-formed XML, declares or uses entities of
    its own, is nested deeper than 32 levels or larger than 100 MB.
    """
    try:
        if source == "-":
            content = getattr(sys.stdin, "buffer", io.BytesIO()).read(LARGEST_FILE + 1)
        elif hasattr(source, "read"):
            content = source.read(LARGEST_FILE + 1)
        else:
            with open(source, "rb") as file:
                content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise refused(name, f"the file cannot be read: {error.strerror or error}") from None
    except ValueError as error:  # a path with a null character, a closed file, no UTF-8
        raise refused(name, f"the file cannot be read: {error}") from None
    if len(content) > LARGEST_FILE:
        raise refused(name, f"the file is larger than {LARGEST_FILE // 10**6} MB, which no HistFactory XML is")
    return parse_element(content, name)


def parse_element(content: bytes | str, name: str) -> Element:
    """The root element of a text.

    >>> parse_element(b'<Channel Name="SR"><Data/></Channel>', "channel.xml").children[0].place
    'channel.xml:1'
    >>> parse_element(b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "bomb.xml")
    Traceback (most recent call last):
    ...
    histjax.errors.InvalidDocument: bomb.xml: 1 problem
      line 1: the document declares the entity 'b': entities are refused, write out what they stand for
    """
    if not content.strip():
        raise refused(name, "the file is empty, expected XML")
    builder = _Builder(name)
    try:
        builder.parser.Parse(content, True)
    except expat.ExpatError as error:
        reason = expat.errors.messages.get(error.code, str(error))
        raise refused(name, f"not well-formed XML: {reason} (column {error.offset + 1})", error.lineno) from None
    except (LookupError, ValueError) as error:  # a declared encoding that does not exist, or is none of text
        raise refused(name, f"not readable XML: {error}") from None
    return builder.root


def refused(name: str, message: str, line: int | None = None) -> InvalidDocument:
    """The error for one thing that is wrong with a file."""
    return InvalidDocument(name, [Problem("" if line is None else f"line {line}", message)])


class _Builder:
    """Takes note of what the parser meets."""

    def __init__(self, name: str):
        self.name, self.stack, self.root = name, [], None
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.characters
        self.parser.EntityDeclHandler = self.entity_declaration
        self.parser.SkippedEntityHandler = self.entity
        self.parser.ExternalEntityRefHandler = self.external_entity

    def refuse(self, message: str) -> None:
        raise refused(self.name, message, self.parser.CurrentLineNumber)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if len(self.stack) >= DEEPEST:
            self.refuse(f"the elements are nested more than {DEEPEST} deep; HistFactory has three levels")
        element = Element(tag, attributes, self.name, self.parser.CurrentLineNumber)
        if self.stack:
            self.stack[-1].children.append(element)
        else:
            self.root = element
        self.stack.append(element)

    def end(self, tag: str) -> None:
        del tag
        self.stack.pop()

    def characters(self, text: str) -> None:
        self.stack[-1].text += text

    def entity_declaration(self, entity: str, *rest) -> None:
        del rest
        self.refuse(f"the document declares the entity {entity!r}: entities are refused, write out what they stand for")

    def entity(self, entity: str, is_parameter: bool) -> None:
        if not is_parameter:
            self.refuse(f"the entity {entity!r} is not defined in the document; write out what it stands for")

    def external_entity(self, *where) -> int:
        del where
        self.refuse("the document refers to an external entity: entities are refused")
        return 0
