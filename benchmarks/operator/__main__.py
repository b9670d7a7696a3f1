"""Prints what the operator costs: `python -m benchmarks.operator [part …] [--hubs N]`.

All parts run by default, in the order of the table; each brings about by itself what
it needs of the part before it.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.conditions import describe_machine
from benchmarks.figures import Figure, render_table
from benchmarks.operator.bench import Bench, Size, open_bench
from benchmarks.operator.plane import running_plane
from benchmarks.operator.reports import PARTS
from tools.cluster.apiserver import ApiServer

BATCHES = 20
PACKAGES = ("mcphub", "kopf", "kubernetes", "aiohttp", "msgspec", "pydantic")


async def _measure(
    server: ApiServer, folder: Path, size: Size, parts: Sequence[str]
) -> list[Figure]:
    figures: list[Figure] = []
    async with open_bench(server, folder, size) as bench:
        for part in parts:
            figures += await _report(bench, part)
    return figures


async def _report(bench: Bench, part: str) -> list[Figure]:
    began = time.monotonic()
    figures = [figure async for figure in PARTS[part](bench)]
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"== {part}: {time.monotonic() - began:.0f} s, load after it {load}")
    print(render_table(figures), flush=True)
    return figures


def _parse() -> tuple[Size, list[str]]:
    parser = argparse.ArgumentParser(prog="benchmarks.operator", description=__doc__)
    parser.add_argument("parts", nargs="*", help=", ".join(PARTS))
    for name, default in (("hubs", 1000), ("many-hubs", 5000), ("cycles", 10_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    size = replace(
        Size(),
        hubs=given.hubs,
        many_hubs=given.many_hubs,
        cycles=given.cycles,
        batch=max(1, given.cycles // BATCHES),
    )
    return size, given.parts or list(PARTS)


def _describe() -> Iterator[str]:
    yield from describe_machine(PACKAGES)
    yield f"etcd and kube-apiserver on the same {os.cpu_count()} CPUs, no controllers"


def main() -> None:
    """Measure the parts that were asked for, and print the table."""
    size, parts = _parse()
    conditions = list(_describe())
    with tempfile.TemporaryDirectory() as folder, running_plane() as server:
        figures = asyncio.run(_measure(server, Path(folder), size, parts))
    print("\n".join([*conditions, "", render_table(figures)]))


if __name__ == "__main__":
    main()
