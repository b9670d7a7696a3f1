"""Names of fields that Qdrant takes only in quotes are quoted."""

import pytest

from mcphub_server.guards.qdrant.filters import check_filter
from mcphub_server.guards.qdrant.paths import quote_path

PATHS = [
    pytest.param("city", "city", id="a plain name"),
    pytest.param("größe_1-a", "größe_1-a", id="letters of any script"),
    pytest.param("unit price", '"unit price"', id="a blank"),
    pytest.param("ship to.zip", '"ship to".zip', id="one name of a path"),
    pytest.param("lines[].unit price[0]", 'lines[]."unit price"[0]', id="lists"),
    pytest.param("$ref", '"$ref"', id="a sign"),
    pytest.param('"a.b".c', '"a.b".c', id="quotes of the caller's"),
    pytest.param("a..b", "a..b", id="not a path"),
    pytest.param("a[x]", "a[x]", id="not an index"),
    pytest.param("", "", id="nothing"),
]


@pytest.mark.parametrize(("path", "quoted"), PATHS)
def test_names_are_quoted_where_they_need_it(path: str, quoted: str) -> None:
    assert quote_path(path) == quoted


def test_keys_are_quoted_wherever_a_filter_has_them() -> None:
    given = {
        "must": [
            {"key": "unit price", "match": {"value": "unit price"}},
            {"is_null": {"key": "ship to"}},
            {
                "nested": {
                    "key": "a b",
                    "filter": {"must_not": [{"key": "c d", "is_empty": True}]},
                }
            },
        ]
    }

    first, second, third = check_filter(given)["must"]

    assert first == {"key": '"unit price"', "match": {"value": "unit price"}}
    assert second == {"is_null": {"key": '"ship to"'}}
    assert third["nested"]["key"] == '"a b"'
    assert third["nested"]["filter"]["must_not"][0]["key"] == '"c d"'
