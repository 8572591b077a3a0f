"""JSON Schema keywords that speak the user's language and are quick on long arrays of numbers.

`jsonschema` walks the document. Its keywords are replaced here where its messages repeat whole documents or say no
more than "is not valid under any of the given schemas", and where its cost per number would be felt.
"""

from collections.abc import Iterator
from typing import Any

from jsonschema import Draft6Validator, ValidationError
from jsonschema.validators import extend

from histjax.readers.words import describe

_PLAIN_TYPES = {"number": {int, float}, "string": {str}, "null": {type(None)}}


def _type(validator: Any, expected: str, instance: Any, schema: dict) -> Iterator[ValidationError]:
    if not validator.is_type(instance, expected):
        article = "" if expected == "null" else "an " if expected[0] in "aeio" else "a "
        yield ValidationError(f"found {describe(instance)}, expected {article}{expected}")


def _const(validator: Any, expected: str, instance: Any, schema: dict) -> Iterator[ValidationError]:
    if not (isinstance(instance, str) and instance == expected):
        yield ValidationError(f"found {describe(instance)}, expected {expected!r}")


def _pattern(validator: Any, pattern: str, instance: Any, schema: dict) -> Iterator[ValidationError]:
    for _ in Draft6Validator.VALIDATORS["pattern"](validator, pattern, instance, schema):
        yield ValidationError(f"found {describe(instance)}, expected a text that matches {pattern}")


def _required(validator: Any, required: list[str], instance: Any, schema: dict) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        yield from (ValidationError(f"{key!r} is missing") for key in required if key not in instance)


def _additional(validator: Any, allowed: Any, instance: Any, schema: dict) -> Iterator[ValidationError]:
    known = schema.get("properties", {})
    if allowed is False and isinstance(instance, dict) and not instance.keys() <= known.keys():
        expected = ", ".join(known)
        for key in instance.keys() - known.keys():
            yield ValidationError(f"unknown key {describe(key)}; expected only {expected}", path=[key])


def _min_items(validator: Any, least: int, instance: Any, schema: dict) -> Iterator[ValidationError]:
    if isinstance(instance, list) and len(instance) < least:
        yield ValidationError(f"found {len(instance)} entries, expected at least {least}")


def _min_properties(validator: Any, least: int, instance: Any, schema: dict) -> Iterator[ValidationError]:
    if isinstance(instance, dict) and len(instance) < least:
        yield ValidationError(f"found {len(instance)} keys, expected at least {least}")


def _properties(validator: Any, properties: dict, instance: Any, schema: dict) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        for key, expected in properties.items():
            if key in instance and not _is_plain(instance[key], expected):
                yield from validator.descend(instance[key], expected, path=key)


def _is_plain(value: Any, schema: dict) -> bool:
    """Whether a schema of one word accepts the value: a short cut, since `descend` takes 5 microseconds."""
    if len(schema) != 1:
        return False
    plain = _PLAIN_TYPES.get(schema.get("type"), ())
    return type(value) in plain or (type(value) is str and value == schema.get("const"))


def _items(validator: Any, expected: dict, instance: Any, schema: dict) -> Iterator[ValidationError]:
    if not isinstance(instance, list):
        return
    if expected.get("type") in _PLAIN_TYPES:
        yield from _plain_items(validator, expected, instance)
        return
    for index, each in enumerate(instance):
        yield from validator.descend(each, expected, path=index)


def _plain_items(validator: Any, expected: dict, instance: list) -> Iterator[ValidationError]:
    """An array of numbers or of texts: one look at the set of types, and one problem for all that are wrong."""
    if "pattern" not in expected and set(map(type, instance)) <= _PLAIN_TYPES[expected["type"]]:
        return
    wrong = [error for index, each in enumerate(instance) for error in validator.descend(each, expected, path=index)]
    if len(wrong) > 1:
        wrong[0].message += f" (and {len(wrong) - 1} more in this array)"
    yield from wrong[:1]


def _any_of(validator: Any, options: list[dict], instance: Any, schema: dict) -> Iterator[ValidationError]:
    """The seven modifiers are told apart by their type, so that only the definition that is meant is applied."""
    if not all("properties" in option for option in options):
        if not any(validator.is_type(instance, option["type"]) for option in options):
            expected = " or a ".join(option["type"] for option in options)
            yield ValidationError(f"found {describe(instance)}, expected a {expected}")
        return
    by_type = {option["properties"]["type"]["const"]: option for option in options}
    if not isinstance(instance, dict):
        yield ValidationError(f"found {describe(instance)}, expected an object with name, type and data")
        return
    kind = instance.get("type")
    if isinstance(kind, str) and kind in by_type:
        yield from validator.descend(instance, by_type[kind])
    elif "type" in instance:
        yield ValidationError(f"unknown modifier type {describe(kind)}; expected one of {', '.join(by_type)}")
    else:
        yield ValidationError(f"'type' is missing; expected one of {', '.join(by_type)}")


def _one_of(validator: Any, options: list[dict], instance: Any, schema: dict) -> Iterator[ValidationError]:
    """The operations of a JSON Patch, told apart by `op`."""
    by_op = {op: option for option in options for op in option["properties"]["op"]["enum"]}
    if isinstance(instance, dict) and "op" in instance:
        op = instance["op"]
        if isinstance(op, str) and op in by_op:
            yield from validator.descend(instance, by_op[op])
        else:
            yield ValidationError(f"unknown operation {describe(op)}; expected one of {', '.join(by_op)}")


QuickValidator = extend(
    Draft6Validator,
    {
        "additionalProperties": _additional,
        "anyOf": _any_of,
        "const": _const,
        "items": _items,
        "minItems": _min_items,
        "minProperties": _min_properties,
        "oneOf": _one_of,
        "pattern": _pattern,
        "properties": _properties,
        "required": _required,
        "type": _type,
    },
    # jsonschema takes any `numbers.Number`: complex numbers and decimals too
    type_checker=Draft6Validator.TYPE_CHECKER.redefine(
        "number", lambda _, value: isinstance(value, int | float) and not isinstance(value, bool)
    ),
)
