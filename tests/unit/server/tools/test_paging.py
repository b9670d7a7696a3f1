"""Cursors belong to one tool, its arguments and one caller."""

from typing import Any

import pytest

from mcphub_server.config.hub import LimitsConfig
from mcphub_server.errors import BadArgument
from mcphub_server.results.cursors import CursorSigner
from mcphub_server.tools.context import ToolContext
from mcphub_server.tools.paging import Pager, fingerprint


async def run(_: object, call: Any) -> Any:
    return await call()


def note(**_: object) -> None:
    return None


def pager(*, mark: str = "m", principal: str = "alice") -> Pager:
    limits = LimitsConfig(max_rows=50)
    signer = CursorSigner(b"k" * 32)
    context = ToolContext(limits, signer, run, lambda: principal, note)
    return Pager(context, "graph_query", mark)


def test_a_cursor_stands_for_the_row_behind_the_page() -> None:
    cursor = pager().sign_after(100)(25)

    assert pager().find_offset(cursor) == 125


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(pager(mark="n"), id="other arguments"),
        pytest.param(pager(principal="bob"), id="another caller"),
    ],
)
def test_a_cursor_is_refused_to(other: Pager) -> None:
    cursor = pager().sign_after(0)(1)

    with pytest.raises(BadArgument):
        other.find_offset(cursor)


@pytest.mark.parametrize(("asked", "given"), [(None, 50), (10, 10), (500, 50)])
def test_the_hubs_limit_holds(asked: int | None, given: int) -> None:
    assert pager().find_limit(asked) == given


def test_fingerprints_tell_arguments_apart_and_not_their_order() -> None:
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint("a", "b") != fingerprint("ab", "")


def test_what_is_no_json_has_no_fingerprint() -> None:
    with pytest.raises(BadArgument):
        fingerprint(object())
