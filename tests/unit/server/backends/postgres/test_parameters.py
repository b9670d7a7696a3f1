"""JSON values as the values that a placeholder takes, however a client wrote them."""

from dataclasses import dataclass

import pytest

from mcphub_server.backends.postgres.parameters import convert_parameters
from mcphub_server.errors import BadArgument


@dataclass(frozen=True)
class PlaceholderType:
    name: str
    kind: str = "scalar"
    schema: str = "pg_catalog"


@pytest.mark.parametrize(
    ("kind", "given", "sent"),
    [
        ("jsonb", '{"f":1}', '{"f":1}'),
        ("jsonb", " [1, 2]", " [1, 2]"),
        ("jsonb", {"f": 1}, '{"f": 1}'),
        ("jsonb", "plain text", '"plain text"'),
        ("jsonb", '"quoted"', '"quoted"'),
        ("jsonb", "{broken", '"{broken"'),
        ("jsonb", "NaN", '"NaN"'),
        ("json", "null", "null"),
        ("json", "42", "42"),
        ("bool", "true", True),
        ("bool", "False", False),
        ("int4", "42", 42),
        ("int4", 42.0, 42),
        ("float8", "1.5", 1.5),
    ],
)
def test_a11_a_text_is_read_as_what_the_placeholder_is(kind, given, sent):
    assert convert_parameters([PlaceholderType(kind)], [given]) == [sent]


@pytest.mark.parametrize(
    ("kind", "given"),
    [("bool", "yes"), ("int4", 1.5), ("int4", True), ("jsonb", float("nan"))],
)
def test_what_does_not_fit_is_refused(kind, given):
    with pytest.raises(BadArgument):
        convert_parameters([PlaceholderType(kind)], [given])


def test_a_list_may_come_as_its_json_text():
    kind = PlaceholderType("int4[]", "array")

    assert convert_parameters([kind], ["[1, 2, null]"]) == [[1, 2, None]]
