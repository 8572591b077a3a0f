"""Types of option values: what is wrong with one is said before anything is read."""

import math
import re

import click


class Finite(click.ParamType):
    """A finite number, between bounds that are themselves excluded where they are given."""

    name = "number"

    def __init__(self, above: float = -math.inf, below: float = math.inf):
        self.above, self.below = above, below

    def convert(self, value, param, ctx) -> float:
        """The number that a text says."""
        try:
            number = float(value)
        except ValueError:
            self.fail(f"{value!r} is not a number", param, ctx)
        if not self.above < number < self.below:
            limits = "finite" if math.isinf(self.above) else f"between {self.above:g} and {self.below:g}"
            self.fail(f"{value} is not {limits}", param, ctx)
        return number


class Assignment(click.ParamType):
    """`NAME=VALUE`, as a pair; the last `=` counts, since a name may have others."""

    name = "NAME=VALUE"
    example = "mu=1.0"

    def convert(self, value, param, ctx) -> tuple[str, float]:
        """The name, and the number that is assigned to it."""
        if isinstance(value, tuple):
            return value
        name, equals, number = value.rpartition("=")
        if not (name.strip() and equals):
            self.fail(f"{value!r} is not of the form {self.name}, such as {self.example}", param, ctx)
        return name.strip(), Finite().convert(number, param, ctx)


class PriorAssignment(click.ParamType):
    """`NAME=KIND:NUMBER:NUMBER`, as a name and a prior: its kind and two numbers; the last `=` counts."""

    name = "NAME=KIND:A:B"
    kinds = ("uniform", "loguniform", "normal", "lognormal")

    def convert(self, value, param, ctx) -> tuple[str, tuple[str, tuple[float, float]]]:
        """The name, the kind of prior, and its numbers."""
        if isinstance(value, tuple):
            return value
        name, _, prior = value.rpartition("=")
        kind, *numbers = prior.split(":")
        if not name.strip() or kind not in self.kinds or len(numbers) != 2:
            form = f"{self.name}, such as mu=uniform:0:5; KIND is one of {', '.join(self.kinds)}"
            self.fail(f"{value!r} is not of the form {form}", param, ctx)
        return name.strip(), (kind, tuple(Finite().convert(each, param, ctx) for each in numbers))


class RegexAssignment(Assignment):
    """`REGEX=VALUE`, as a pair of a compiled regular expression and a number."""

    name = "REGEX=VALUE"
    example = "'jes_.*=0'"

    def convert(self, value, param, ctx) -> tuple[re.Pattern, float]:
        """The expression, and the number for what it matches."""
        expression, number = super().convert(value, param, ctx)
        return _compiled(self, expression, param, ctx), number


class Axis(click.ParamType):
    """`NAME=LO:HI:N`, as a name and three numbers."""

    name = "NAME=LO:HI:N"

    def convert(self, value, param, ctx) -> tuple[str, tuple[float, float, int]]:
        """The name, and the range: its ends and the number of values."""
        if isinstance(value, tuple):
            return value
        name, _, span = value.rpartition("=")
        parts = span.split(":")
        if not name.strip() or len(parts) != 3:
            self.fail(f"{value!r} is not of the form {self.name}, such as mu=0:2:21", param, ctx)
        lo, hi = (Finite().convert(each, param, ctx) for each in parts[:2])
        if not lo < hi:
            self.fail(f"{value!r} does not go upwards: {parts[0]} is not below {parts[1]}", param, ctx)
        return name.strip(), (lo, hi, click.IntRange(min=2).convert(parts[2], param, ctx))


class Share(click.ParamType):
    """`K/M`, the K-th of M shares, as two numbers."""

    name = "K/M"

    def convert(self, value, param, ctx) -> tuple[int, int]:
        """The number of the share, from 1, and how many there are."""
        if isinstance(value, tuple):
            return value
        number, _, of = value.partition("/")
        if not (number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
            self.fail(f"{value!r} is not of the form K/M with K from 1 to M, such as 3/10", param, ctx)
        return int(number), int(of)


class Pattern(click.ParamType):
    """A name, a glob, or a regular expression after `re:`; `all` stands for everything."""

    name = "NAME"

    def convert(self, value, param, ctx) -> str:
        """The pattern as it was written, once it is known to be one."""
        if value.startswith("re:"):
            _compiled(self, value.removeprefix("re:"), param, ctx)
        return value


class Group(click.ParamType):
    """`NAME=PATTERN,PATTERN`, as a name and a list of patterns; the first `=` counts."""

    name = "NAME=PATTERN,..."

    def convert(self, value, param, ctx) -> tuple[str, list[str]]:
        """The name of the group, and what it consists of."""
        if isinstance(value, tuple):
            return value
        name, _, rest = value.partition("=")
        patterns = [each.strip() for each in rest.split(",") if each.strip()]
        if not name.strip() or not patterns:
            self.fail(f"{value!r} is not of the form NAME=PATTERN,PATTERN, such as 'jets=jes_*,jer'", param, ctx)
        return name.strip(), [Pattern().convert(each, param, ctx) for each in patterns]


def _compiled(kind: click.ParamType, expression: str, param, ctx) -> re.Pattern:
    try:
        return re.compile(expression)
    except re.error as error:
        kind.fail(f"{expression!r} is not a regular expression: {error}", param, ctx)
