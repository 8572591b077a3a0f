"""Texts that are refused, with the place and the reason; texts meant to exhaust the reader; texts of trees."""

import sys

import hypothesis.strategies as st
import jax
import pytest
from hypothesis import given, settings

from histjax.errors import HistjaxError, InvalidExpression
from histjax.hs3.expressions import evaluate, names, parse, write
from histjax.hs3.expressions.syntax import Binary, Call, Name, Number, Unary

REFUSED = {
    "": (1, "expected a value, found the end"),
    "  ": (3, "expected a value, found the end"),
    "2 x": (3, "expected an operator, found 'x'; write \\* for a product"),
    "2(x)": (2, "expected an operator, found '\\('"),
    "(a)(b)": (4, "expected an operator"),
    "1 +": (4, "expected a value, found the end"),
    "* 2": (1, "expected a value, found '\\*'"),
    "1 + / 2": (5, "expected a value, found '/'"),
    "((a)": (5, "expected '\\)' for the '\\(' at column 1, found the end"),
    "(a b)": (4, "expected '\\)' for the '\\(' at column 1, found 'b'"),
    "a)": (2, "found '\\)' without '\\(' before it"),
    "1,5": (2, "found ',' outside of a function's arguments; write decimal points as '\\.'"),
    "a : b": (3, "found ':' without '\\?' before it"),
    "c ? a": (6, "expected ':' for the '\\?' at column 3, found the end"),
    "c ? : b": (5, "expected a value, found ':'"),
    "a < b < c": (7, "no one meaning; write a < b && b < c"),
    "a == b != c": (8, "after another comparison"),
    "a & b": (3, "found '&'; write &&"),
    "a | b": (3, "found '\\|'; write \\|\\|"),
    "a = b": (3, "found '='; write == to compare"),
    "a % b": (3, "there is no remainder"),
    "a; b": (2, "found ';'"),
    "a[1]": (2, "positional arguments are written x\\[0\\] or @0"),
    "__import__('os')": (12, 'found "\'"'),
    "__import__(os)": (1, "there is no function named '__import__'"),
    "lambda: 0": (7, "found ':' without"),
    "a.b.": (4, "found '\\.'; a number has digits"),
    "1.2.3": (4, "expected an operator, found '\\.3'"),
    "0x10": (2, "expected an operator, found 'x10'"),
    "1e": (2, "expected an operator, found 'e'"),
    "1e999": (1, "beyond the largest one"),
    "exp": (4, "expected '\\(' after the function 'exp', found the end; write exp\\(\\.\\.\\.\\)"),
    "exp + 1": (5, "expected '\\(' after the function 'exp'"),
    "exp()": (1, "exp takes 1 argument, found 0"),
    "pow(a)": (1, "pow takes 2 arguments, found 1"),
    "max()": (1, "max takes 1 or more arguments, found 0"),
    "ifelse(a, b)": (1, "ifelse takes 3 arguments, found 2"),
    "exp(a,)": (7, "expected a value, found '\\)'"),
    "pow(a b)": (7, "expected '\\)' for the '\\(' at column 4, found 'b'; close it, or write ','"),
    "Exp(a)": (1, "did you mean exp\\?"),
    "TMath::Foo(a)": (1, "there is no function named 'TMath::Foo'"),
    "PI()": (1, "a constant is written without parentheses"),
    "TMath::Pi(2)": (1, "TMath::Pi takes 0 arguments, found 1"),
    "TMath::Pi": (10, "expected '\\(' after the function 'TMath::Pi'"),
    "@0": (1, "'@0' counts arguments from 0 and 0 arguments are listed; write the parameter's name"),
    "x[0]": (1, "counts arguments"),
    "m²": (2, "found '²'; write \\^2"),
    "a − b": (3, "found '−'; write the hyphen"),
    "a × b": (3, "found '×'; write \\*"),
    "a ≤ b": (3, "found '≤'; write <="),
    "٣ + 1": (1, "found '٣'"),
    "a\u00a0+ b": (2, "the character U\\+00A0"),
    "a\x00": (2, "the character U\\+0000"),
    "a\u202e": (2, "the character U\\+202E"),
    "\ud800": (1, "the character U\\+D800"),
    "😀": (1, "found '😀'"),
}


@pytest.mark.parametrize("text", REFUSED)
def test_refused(text):
    """One message each, with the place."""
    column, message = REFUSED[text]
    with pytest.raises(InvalidExpression, match=message) as caught:
        parse(text)
    assert caught.value.column == column
    assert isinstance(caught.value, HistjaxError)


def test_message_shows_the_place():
    """The line below the text points to the column, in the part of a long text that is shown."""
    with pytest.raises(InvalidExpression) as caught:
        parse("a +\n*b")
    assert str(caught.value).splitlines()[1:] == ["  a + *b", "      ^"]
    with pytest.raises(InvalidExpression) as caught:
        parse("1 + " * 500 + "$" + " + 1" * 500)
    first, shown, caret = str(caught.value).splitlines()
    assert "column 2001" in first and len(shown) < 140
    assert shown[caret.index("^")] == "$"


HUGE = {
    "parentheses": "(" * 99_999,
    "closed parentheses": "(" * 40_000 + "a" + ")" * 40_000,
    "signs": "-" * 99_999 + "1",
    "nots": "!" * 99_999 + "1",
    "pluses": "+" * 99_999 + "1",
    "powers": "2^" * 49_999 + "2",
    "calls": "exp(" * 20_000 + "1" + ")" * 19_000,
    "conditions in conditions": "a?" * 40_000 + "1" + ":0" * 9_000,
    "ifelse": "ifelse(a,1," * 9_000 + "0" + ")" * 900,
    "growing to the left": "(" * 60 + "a" + "*b+c<d==e&&f||g)" * 60,
    "terms": "1+" * 49_999 + "1",
    "cases": "a?b:" * 24_000 + "c",
    "too long": "a" * 100_001,
    "a long number": "9" * 99_000,
    "a long exponent": "1e" + "9" * 99_000,
    "a long position": "@" + "9" * 99_000,
    "a long position in brackets": "x[" + "9" * 99_000 + "]",
    "dots": "." * 99_000,
    "colons": "a" + "::" * 49_000,
    "spaces": " " * 99_999,
    "spaces and a stray character": " " * 99_000 + "$",
}


@pytest.mark.parametrize("name", HUGE)
@pytest.mark.parametrize("frames", [0, 250])
def test_huge_texts_are_refused(name, frames):
    """Never a `RecursionError`, even where the caller is 250 calls deep already (the limit is 1000)."""

    def deeper(left):
        return deeper(left - 1) if left else parse(HUGE[name])

    assert sys.getrecursionlimit() == 1000
    with pytest.raises(InvalidExpression) as caught:
        deeper(frames)
    assert len(str(caught.value)) < 600


WIDE = {
    "terms": ("+".join(["x"] * 4000), 8000.0),
    "factors": ("*".join(["1.0"] * 4000) + "*x", 2.0),
    "cases": ("".join(f"x === {i} ? {i}*x : " for i in range(500)) + "7", 4.0),
    "logical": ("&&".join(["x"] * 4000), 1.0),
    "arguments": (f"max({','.join(['1'] * 4000)},x)", 2.0),
}


@pytest.mark.parametrize("name", WIDE)
def test_wide_texts_are_read(name):
    """Sums, tables of cases and the like are not deep, however long they are; values are at x = 2."""
    text, expected = WIDE[name]
    tree = parse(text)
    assert tree.height <= 4
    assert parse(write(tree)) == tree and hash(parse(text)) == hash(tree)
    if name in ("factors", "arguments"):
        assert evaluate(tree, {"x": 2.0}) == expected
    if name == "cases":
        tree = parse("".join(f"x === {i} ? {i}*x : " for i in range(20)) + "7")
        assert evaluate(tree, {"x": 2.0}) == expected


DEEP = {
    "calls": "exp(-" * 49 + "x" + ")" * 49,
    "powers": "x^" * 98 + "x",
    "conditions": "x?" * 90 + "x" + ":0" * 90,
    "ifelse": "1+ifelse(x,log(x)," * 49 + "x" + ")" * 49,
    "cases": "ifelse(x,log(x)," * 190 + "x" + ")" * 190,
    "parentheses": "(" * 190 + "x" + ")" * 190,
    "signs": "-" * 98 + "x",
}


@pytest.mark.parametrize("name", DEEP)
def test_the_deepest_trees_are_evaluated(name):
    """What the reader accepts, the rest can walk: at x = 1, with a caller 100 calls deep."""
    tree = parse(DEEP[name])

    def deeper(left):
        return deeper(left - 1) if left else jax.eval_shape(lambda x: evaluate(tree, {"x": x}), 1.0)

    assert deeper(100).shape == ()
    assert parse(write(tree)) == tree
    assert names(tree) == ("x",)


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.text(max_size=40), st.text(alphabet="ax01.@[]()+-*/^!&|=<>?:, eEPI\n", max_size=40)))
def test_any_text_is_read_or_refused(text):
    """No other exception; and what is read is written and read again the same."""
    try:
        tree = parse(text, arguments=["a"])
    except InvalidExpression:
        return
    assert parse(write(tree)) == tree


WRITTEN = {
    "1/2": "1.0/2.0",
    "a-(b-c)": "a - (b - c)",
    "(a-b)-c": "(a - b) - c",
    "a-b-c": "a - b - c",
    "a*(b/c)": "a*(b/c)",
    "(a^b)^c": "(a^b)^c",
    "a^(b^c)": "a^b^c",
    "(-a)^2": "(-a)^2.0",
    "-(a^2)": "-a^2.0",
    "-(-a)": "-(-a)",
    "2**-a": "2.0^-a",
    "!(a==b)": "!(a == b)",
    "(a||b)&&c": "(a || b) && c",
    "ifelse(a<b, ln(a), TMath::Pi())": "a < b ? log(a) : PI",
    "(a?b:c)?d:(e?f:g)": "(a ? b : c) ? d : e ? f : g",
    "a?(b?c:d):e": "a ? (b ? c : d) : e",
    "a?b:c?d:e": "a ? b : c ? d : e",
    "@1*x[0]": "second*first",
    "1e22 + 0.00001": "1e+22 + 1e-05",
}


@pytest.mark.parametrize("text", WRITTEN)
def test_written(text):
    """The canonical text: no needless parentheses, no integers (ROOT divides them), the standard's spellings."""
    assert write(parse(text, arguments=["first", "second"])) == WRITTEN[text]


def test_positions_may_bear_any_name():
    """A name that no text can spell is reached by its position; written it cannot be."""
    tree = parse("@0*x[ 1 ]", arguments=["m-1", "PI"])
    assert names(tree) == ("m-1", "PI")
    assert evaluate(tree, {"m-1": 2.0, "PI": 3.0}) == 6.0
    with pytest.raises(InvalidExpression, match="the name 'PI' cannot be written in an expression; rename it"):
        write(tree)
    for odd in ("m-1", "PI", "exp", "TMath::E", "a b", "", "1"):
        with pytest.raises(InvalidExpression, match="cannot be written"):
            write(Binary(Number(1.0), (("+", Name(odd)),)))
    with pytest.raises(InvalidExpression, match="'@2' counts arguments from 0 and 2 arguments are listed"):
        parse("@2", arguments=["a", "b"])


@pytest.mark.parametrize(("word", "text", "kind"), [("PI", "PI*r", "constant"), ("exp", "exp(r)", "function")])
def test_words_of_the_language_are_no_names(word, text, kind):
    """Neither shadows the other: such an expression is refused, and one without the word is not."""
    with pytest.raises(InvalidExpression, match=f"'{word}' is a {kind} of the language, and the document gives"):
        parse(text, known={"r", word})
    with pytest.raises(InvalidExpression, match=f"'{word}' is a {kind} of the language"):
        parse(text, arguments=["r", word])
    assert names(parse("2*r", known={"r", word})) == ("r",)


UNKNOWN = {
    "mas*2": "the document has nothing named 'mas'; did you mean mass\\?",
    "pi*mass": "nothing named 'pi'; did you mean PI\\?",
    "true": "did you mean TRUE\\?",
    "e^mass": "did you mean EULER\\?",
    "qqqq": "add a parameter or a function of that name to the document",
    "mass(2)": "there is no function named 'mass'; write \\* before the parenthesis",
}


@pytest.mark.parametrize("text", UNKNOWN)
def test_unknown_names(text):
    """Where the names of the document are given, others are refused with the nearest one."""
    with pytest.raises(InvalidExpression, match=UNKNOWN[text]):
        parse(text, known=["mass", "width"])


def test_names_of_roofit():
    """RooFit's formulae take these names (measured: ROOT 6.40.00); other alphabets are JSON's freedom."""
    assert names(parse("a.b + z::q - μ_1*x.1 + _c")) == ("a.b", "z::q", "μ_1", "x.1", "_c")


def test_trees_are_values():
    """Equal, hashable, and without the positions of the text."""
    assert parse("exp( -x )") == Call("exp", (Unary("-", Name("x")),))
    assert {parse("a+b"), parse(" a + b")} == {Binary(Name("a"), (("+", Name("b")),))}
