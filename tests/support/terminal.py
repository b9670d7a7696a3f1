"""What a terminal shows of a command, as text and as a picture."""

import fcntl
import io
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Iterator, Mapping
from pathlib import Path

from rich.console import Console
from rich.text import Text

COLUMNS = 116
ROWS = 40
SECONDS = 200


def run_in_terminal(
    command: str, environment: Mapping[str, str], *, shows_progress: bool = True
) -> str:
    """Return what a terminal is sent by a command of a shell.

    Progress goes to stderr; without it, that is no terminal.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    with subprocess.Popen(
        ["sh", "-c", command],
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs if shows_progress else subprocess.DEVNULL,
    ) as process:
        os.close(theirs)
        try:
            sent = b"".join(read_all(ours))
        finally:
            os.close(ours)
        process.wait(SECONDS)
    return sent.decode()


def read_all(terminal: int) -> Iterator[bytes]:
    """Yield what is written, until no program has the terminal open."""
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # Linux: the last program that could write is gone
            return
        if not part:
            return
        yield part


def draw_terminal(path: Path, shown: Mapping[str, str]) -> None:
    """Draw commands and what terminals were sent by them."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    for number, (command, sent) in enumerate(shown.items()):
        if number:
            console.print()
        console.print(Text(f"$ {command}", "bold"))
        for line in sent.splitlines():
            console.print(Text.from_ansi(line))
    console.save_svg(str(path), title="kubectl mcphub", unique_id="mcphub")
