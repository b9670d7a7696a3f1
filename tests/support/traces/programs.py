"""Runs the collector and Jaeger, each with a configuration file of ours."""

import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tools.programs.build import ensure_program

START_SECONDS = 100.0
STEP_SECONDS = 0.05

Process = subprocess.Popen[bytes]


@contextmanager
def running_program(
    name: str, folder: Path, config: Mapping[str, Any], url: str
) -> Iterator[Process]:
    """Run one from when it answers at the address until the block ends."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(dict(config)))
    with (folder / f"{name}.log").open("ab") as log:
        argv = [str(ensure_program(name)), "--config", str(path)]
        process = subprocess.Popen(argv, stdout=log, stderr=log)
    try:
        _wait_until_it_answers(process, url, Path(log.name))
        yield process
    finally:
        process.kill()
        process.wait()


def _wait_until_it_answers(process: Process, url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _answers(url):
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"{url} does not answer: {log.read_text()[-3000:]}")
        time.sleep(STEP_SECONDS)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=START_SECONDS):
            return True
    except urllib.error.HTTPError:
        return True  # OTLP takes POST only
    except OSError:
        return False
