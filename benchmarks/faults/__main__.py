"""Prints what calls live through: `python -m benchmarks.faults [--only WORDS] [--few]`.

Makes a cluster of three nodes, two hubs and fifty clients, does every fault in turn,
and takes the cluster down. A run takes about twenty minutes.
"""

import argparse
import asyncio
import json
import logging
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from benchmarks.cluster import making_cluster
from benchmarks.conditions import describe_conditions
from benchmarks.faults.bench import Bench
from benchmarks.faults.faults import FAULTS, UNPLANNED, Fault
from benchmarks.faults.fleet import CUT, FULL, Kind
from benchmarks.faults.hubs import REPLICAS
from benchmarks.faults.report import (
    list_failed,
    render_brief,
    render_failures,
    render_together,
    render_whole,
)
from benchmarks.faults.runner import FaultRun, run_faults, running_load
from tools.ports import reserve_port
from tools.quickstart.site import Site
from tools.quickstart.trial import Trial

CLUSTER = "mcphub-faults"


def main() -> None:
    """Do the faults that were asked for, and print the tables."""
    for name in ("mcp", "fastmcp"):  # what clients say is in the table
        logging.getLogger(name).setLevel(logging.CRITICAL)
    parser = argparse.ArgumentParser(prog="benchmarks.faults", description=__doc__)
    parser.add_argument("--only", default="", help="faults that have this in the name")
    parser.add_argument("--few", action="store_true", help="the clients of the test")
    parser.add_argument("--cluster", default=CLUSTER, help="its name")
    parser.add_argument("--keep", type=Path, help="keep cluster and files in a folder")
    given = parser.parse_args()
    faults = [fault for fault in FAULTS if given.only in fault.name]
    kinds = CUT if given.few else FULL
    before = list(describe_conditions())
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary)
        with making_bench(
            Trial(Site(given.cluster, folder, reserve_port())), keep=bool(given.keep)
        ) as bench:
            for fault in faults:
                if fault.prepare:
                    fault.prepare(bench)
            runs = asyncio.run(run_load(bench, kinds, faults, folder))
    print("\n".join([*before, *describe_load(kinds)]))
    unplanned = {fault.name for fault in UNPLANNED}
    planned = [run for run in runs if run.name not in unplanned]
    print(f"\n{render_brief(runs)}\n\n{render_together(planned)}")
    print(f"\n{render_whole(runs)}\n\n{render_failures(runs)}")
    print("\n".join(["", *bench.times]))


@contextmanager
def making_bench(trial: Trial, *, keep: bool) -> Iterator[Bench]:
    """Make the cluster and what runs in it; take it down at the end."""
    with making_cluster(trial, keep=keep) as shell:
        bench = Bench(trial, shell)
        bench.prepare()
        yield bench


async def run_load(
    bench: Bench, kinds: Sequence[Kind], faults: Sequence[Fault], folder: Path
) -> list[FaultRun]:
    """Run the clients and the faults; keep every failed call in a file."""
    with tempfile.TemporaryDirectory() as scratch:
        async with running_load(bench, kinds, Path(scratch) / "load") as load:
            runs = await run_faults(bench, load, faults, tell)
    with (folder / "failed.jsonl").open("w", encoding="utf-8") as file:
        for run in runs:
            for call in list_failed(run.ledger):
                print(json.dumps({"fault": run.name, **asdict(call)}), file=file)
    return runs


def tell(run: FaultRun) -> None:
    """Say how a fault went."""
    failed, calls = len(list_failed(run.ledger)), len(run.ledger.calls)
    line = f"{run.name}: {failed} of {calls} calls failed, {run.seconds:.0f} s"
    print(f"== {line}", file=sys.stderr, flush=True)


def describe_load(kinds: Sequence[Kind]) -> Iterator[str]:
    """Yield the conditions that are this bench's own."""
    clients = sum(kind.kept + kind.fresh for kind in kinds)
    replicas = ", ".join(f"{count} of {hub}" for hub, count in REPLICAS.items())
    yield f"three nodes, replicas {replicas}; {clients} clients, entering at two nodes"


if __name__ == "__main__":
    main()
