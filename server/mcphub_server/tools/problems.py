"""What is wrong with a call's arguments, in words for a model.

Pydantic's and Python's own sentences name Python's types, repeat values and count each
member of a union as a problem of its own. Here each argument gets one sentence that
says what it takes.
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import Any

from pydantic import ValidationError

from mcphub_server.errors import BadArgument

MOST_PROBLEMS = 5

Problem = Mapping[str, Any]

_WHOLE = "must be a whole number"
_NUMBER = "must be a number"
_BOOLEAN = "must be true or false"
_TEXT = "must be a string"
_LIST = "must be a list"
_OBJECT = "must be an object"

_SENTENCES: Mapping[str, str] = {
    "missing": "is missing",
    "extra_forbidden": "is not an argument of this tool",
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), _WHOLE),
    "int_parsing_size": "must be a whole number in its range",
    **dict.fromkeys(("float_type", "float_parsing"), _NUMBER),
    "finite_number": "must be a finite number",
    **dict.fromkeys(("bool_type", "bool_parsing"), _BOOLEAN),
    **dict.fromkeys(("string_type", "string_unicode"), _TEXT),
    **dict.fromkeys(("list_type", "tuple_type"), _LIST),
    **dict.fromkeys(("dict_type", "mapping_type", "model_type"), _OBJECT),
}
_BOUNDS: Mapping[str, str] = {
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be above {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be below {lt}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must match the pattern {pattern}",
    "too_short": "must have at least {min_length} entries",
    "too_long": "must have at most {max_length} entries",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
}


def describe_problems(tool: str, error: ValidationError) -> BadArgument:
    """Say which arguments are wrong; no value is repeated."""
    problems = error.errors(include_url=False, include_input=False)
    told = [
        f"{place}: {_join(_describe(each) for each in group)}"
        for place, group in groupby(problems, _find_place)
    ]
    return BadArgument(
        f"Invalid arguments for {tool}: {'; '.join(told[:MOST_PROBLEMS])}."
    )


def _find_place(problem: Problem) -> str:
    """Return an argument's name, with the number of a list's entry if it is one.

    What follows is pydantic's: the members of a union by their Python names.
    """
    first, *rest = [*problem["loc"]] or ["arguments"]
    return ".".join([str(first), *(str(each) for each in rest if type(each) is int)])


def _join(sentences: Iterable[str]) -> str:
    """Join what each member of a union wants."""
    told = [*dict.fromkeys(sentences)]
    if _NUMBER in told and _WHOLE in told:
        told.remove(_WHOLE)
    head, *tail = told
    return " or ".join([head, *(each.removeprefix("must ") for each in tail)])


def _describe(problem: Problem) -> str:
    kind, context = problem["type"], problem.get("ctx") or {}
    if kind in _BOUNDS:
        return _BOUNDS[kind].format_map(
            {name: _spell(bound) for name, bound in context.items()}
        )
    if kind == "value_error":
        return str(context["error"])  # written in this package, by `readable`
    return _SENTENCES.get(kind, "does not fit")


def _spell(bound: object) -> object:
    return int(bound) if isinstance(bound, float) and bound.is_integer() else bound


def readable(read: Callable[[str], Any], sentence: str) -> Callable[[str], Any]:
    """Return a function whose ValueError is a sentence, not Python's own words."""

    def read_or_say(text: str) -> Any:
        try:
            return read(text)
        except (ValueError, OverflowError):
            raise ValueError(sentence) from None

    return read_or_say
