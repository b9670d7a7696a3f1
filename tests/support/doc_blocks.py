"""The command blocks of a page, run in order as a reader runs them.

A comment before a block says what a program cannot guess: `file: NAME`, the reader
saves the block; `background`, the command lasts until the page ends; `fails`, the
command has to; `only: STATE`, the page tells other readers to skip it; `not run: WHY`.
"""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

BLOCK = re.compile(
    r"^(?:<!-- (?P<note>[^>]*?) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```",
    re.DOTALL | re.MULTILINE,
)
NOTES = ("file", "background", "fails", "only", "not run")
SECONDS = 300


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block, and what the comment before it says."""

    page: Path
    number: int
    language: str
    text: str
    note: str = ""
    value: str = ""

    @property
    def is_command(self) -> bool:
        """Whether a reader types it into a shell."""
        return self.language in ("", "sh")

    def __str__(self) -> str:
        return f"{self.page.name} block {self.number}: {self.text}"


def read_blocks(page: Path) -> list[Block]:
    """Return the blocks of a page in order."""
    found = enumerate(BLOCK.finditer(page.read_text()), start=1)
    return [_read(page, number, match) for number, match in found]


def _read(page: Path, number: int, match: re.Match[str]) -> Block:
    note, _, value = (match["note"] or "").partition(": ")
    if note not in NOTES:
        note = value = ""
    return Block(page, number, match["language"], match["text"], note, value.strip())


@dataclass(frozen=True)
class Reader:
    """A user at a terminal who follows pages.

    Attributes:
        folder: where they save files and run commands.
        environment: what their shell has.
        state: which of the readers of `only` they are.
        fill: their own values for the examples of the page.
    """

    folder: Path
    environment: Mapping[str, str]
    state: str = ""
    fill: Mapping[str, str] = field(default_factory=dict)

    def follow(self, page: Path) -> Iterator[tuple[Block, str]]:
        """Do what each block says; yield a command with what it printed.

        What runs in the background runs until the page ends.
        """
        with ExitStack() as running:
            for block in read_blocks(page):
                if block.note == "file":
                    self._save(block)
                elif block.is_command and self._is_meant(block):
                    if block.note == "background":
                        running.enter_context(self._start(block))
                        yield block, ""
                    else:
                        yield block, self.run(block)

    def run(self, block: Block) -> str:
        """Run a block; an error of any of its commands fails, or has to come."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self.fill_in(block.text)],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        failed, expected = done.returncode != 0, block.note == "fails"
        assert failed is expected, f"{block}\n{done.stdout}\n{done.stderr}"
        return done.stdout + (done.stderr if expected else "")

    def _is_meant(self, block: Block) -> bool:
        return block.note != "not run" and (
            block.note != "only" or block.value == self.state
        )

    def _save(self, block: Block) -> None:
        file = self.folder / block.value
        file.parent.mkdir(exist_ok=True)
        file.write_text(self.fill_in(block.text))

    @contextmanager
    def _start(self, block: Block) -> Iterator[None]:
        with subprocess.Popen(
            ["bash", "-c", f"exec {self.fill_in(block.text)}"],
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()  # it says when it listens
            yield
            process.terminate()

    def fill_in(self, text: str) -> str:
        """Put the reader's own values in the place of the page's."""
        for example, own in self.fill.items():
            text = text.replace(example, own)
        return text

    @property
    def _environment(self) -> dict[str, str]:
        return {**os.environ, **self.environment}
