"""The server to compare with has none of the tracing calls, and all the rest."""

import ast

import pytest

from benchmarks.tracing import find_interval
from benchmarks.untraced import CONSTANTS, KEPT, SPANS, WithoutTraces
from tools.project import ROOT

SERVER = ROOT / "server" / "mcphub_server"
CALLS = {*SPANS, *CONSTANTS, "inject"}


def find_calls(tree: ast.AST) -> list[str]:
    """Return the calls of functions that `spans` offers."""
    return [
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in CALLS
    ]


def test_every_tracing_call_of_the_server_is_taken_out() -> None:
    before: list[str] = []
    after: list[str] = []
    for path in SERVER.rglob("*.py"):
        module = ".".join(path.relative_to(SERVER.parent).with_suffix("").parts)
        if not module.startswith(KEPT):
            tree = ast.parse(path.read_text())
            before += find_calls(tree)
            after += find_calls(WithoutTraces().visit(tree))

    assert {*before} == CALLS - {"find_parent"}
    assert after == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            "with open_span(1, 'x'):\n    go()", "go()", id="a span without a name"
        ),
        pytest.param(
            "with open_span(1, 'x') as span:\n    go(span)",
            "span = _no_span\ngo(span)",
            id="a span with a name",
        ),
        pytest.param(
            "with held(), open_call_span('x') as span:\n    go(span)",
            "with held():\n    span = _no_span\n    go(span)",
            id="a span beside something else",
        ),
        pytest.param("a = find_trace_id()", "a = ''", id="a look at the trace"),
        pytest.param("a = inject(b)", "a = b", id="headers with the trace"),
        pytest.param(
            "with held() as span:\n    go(span)",
            "with held() as span:\n    go(span)",
            id="nothing of traces",
        ),
    ],
)
def test_the_rest_stays_as_it_is(before: str, after: str) -> None:
    tree = ast.fix_missing_locations(WithoutTraces().visit(ast.parse(before)))

    assert ast.unparse(tree) == after


def test_the_median_lies_between_ranks() -> None:
    values = [float(number) for number in range(100)]

    assert find_interval(values) == (40.0, 60.0)
