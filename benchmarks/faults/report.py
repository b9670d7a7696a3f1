"""The tables of a run; pure.

The first has a line for each fault and says what mattered, the second one for each kind
of client over all planned faults, the third one for each of both, with everything.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import astuple, replace

from benchmarks.faults.ledger import Call, Ledger, Outcome, Summary, summarise
from benchmarks.faults.ledger import summarise_kind as summarise_all
from benchmarks.faults.runner import FaultRun

BRIEF = ("fault", "s", "calls", "/mcp errors", "/mcp lost", "/sse errors")
BRIEF_MORE = ("of them after the stream's end", "/sse lost", "s until well")
WHOLE = ("fault", "client", "calls", "right", "errors", "orphaned", "lost")
WHOLE_MORE = ("reconnected", "resumed", "reopened", "p50 ms", "p99 ms", "s until well")
MAX_FAILURES = 3

Row = tuple[str, ...]


def render_brief(runs: Iterable[FaultRun]) -> str:
    """Return the line of each fault."""
    rows = [(*BRIEF, *BRIEF_MORE), *(brief_row(run) for run in runs)]
    return render(rows)


def brief_row(run: FaultRun) -> Row:
    """Return what a fault did to calls over `/mcp`, and to those over `/sse`."""
    calls = run.ledger.calls
    mcp, sse = (
        summarise_all("", [c for c in calls if ("/sse" in c.kind) is over_sse], [])
        for over_sse in (False, True)
    )
    until_well = max(mcp.seconds_until_well, sse.seconds_until_well)
    return (
        run.name,
        f"{run.seconds:.0f}",
        *map(str, (len(calls), mcp.errors, mcp.lost)),
        *map(str, (sse.errors, sse.orphaned, sse.lost)),
        f"{until_well:.1f}",
    )


def render_whole(runs: Iterable[FaultRun]) -> str:
    """Return the line of each kind of client, for each fault."""
    rows: list[Row] = [(*WHOLE, *WHOLE_MORE)]
    for run in runs:
        lines = summarise(run.ledger)
        rows += [(run.name, *whole_cells(line)) for line in lines]
    return render(rows)


def render_together(runs: Sequence[FaultRun]) -> str:
    """Return the line of each kind of client, over several faults."""
    merged = Ledger(
        [call for run in runs for call in run.ledger.calls],
        [back for run in runs for back in run.ledger.recoveries],
    )
    each = [line for run in runs for line in summarise(run.ledger)]
    rows: list[Row] = [(*WHOLE[1:], *WHOLE_MORE)]
    for line in summarise(merged):
        longest = max(e.seconds_until_well for e in each if e.kind == line.kind)
        rows.append(whole_cells(replace(line, seconds_until_well=longest)))
    return render(rows)


def whole_cells(line: Summary) -> Row:
    """Return the cells of a line."""
    kind, *numbers = astuple(line)
    counts, times = numbers[:8], numbers[8:]
    return (kind, *map(str, counts), *(f"{value:.0f}" for value in times))


def render_failures(runs: Iterable[FaultRun]) -> str:
    """Return what clients said when they failed, the most frequent first."""
    lines: list[str] = []
    for run in runs:
        if run.problem:
            lines.append(f"{run.name}: {run.problem}")
        said = Counter(map(describe, list_failed(run.ledger)))
        for words, times in said.most_common(MAX_FAILURES):
            lines.append(f"{run.name}: {times} x {words}")
    return "\n".join(lines)


def list_failed(ledger: Ledger) -> list[Call]:
    """Return the calls that were not answered right."""
    return [call for call in ledger.calls if call.outcome is not Outcome.RIGHT]


def describe(call: Call) -> str:
    """Say who failed, how, and in what words."""
    when = " after its stream's end" if call.orphaned else ""
    return f"{call.kind}, {call.outcome}{when}: {call.detail}"


def render(rows: Sequence[Row]) -> str:
    """Return rows as a table that reads well raw and as Markdown."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
    rule = "|".join("-" * (width + 2) for width in widths)
    return "\n".join([lines[0], f"|{rule}|", *lines[1:]])
