"""Names of tables as callers write them."""

import pytest

from mcphub_server.backends.postgres import catalog
from mcphub_server.backends.postgres.catalog import TableName, parse_table_name
from mcphub_server.errors import BadArgument


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("orders", TableName(None, "orders")),
        ("sales.orders", TableName("sales", "orders")),
        ('"My ""x"""."a.b"', TableName('My "x"', "a.b")),
    ],
)
def test_a_name_has_a_schema_or_none(text: str, name: TableName) -> None:
    assert parse_table_name(text) == name


@pytest.mark.parametrize("part", ['".', "a.", '"a".'])
def test_a_name_of_many_parts_is_not_read_to_its_end(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cuts: list[int] = []
    cut = catalog.cut_identifier

    def count(text: str) -> tuple[str, str]:
        cuts.append(len(text))
        return cut(text)

    monkeypatch.setattr(catalog, "cut_identifier", count)

    with pytest.raises(BadArgument):
        parse_table_name(part * 1_000)

    assert len(cuts) <= 3
