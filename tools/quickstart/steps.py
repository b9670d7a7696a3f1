"""Runs named steps one after another, and reports how they go.

Each step has a log file of its own that holds all its commands said. On the
terminal a step is one line that shows the latest progress and, at the end, how
long it took. A step that fails ends the run with one paragraph: which step, why,
where its log is, and that the same command goes on from there.
"""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TextIO

_TAIL_LINES = 12
_HEARTBEAT_SECONDS = 15.0


class StepFailedError(Exception):
    """A step could not be done; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: its title, the log file's stem, and the work."""

    title: str
    slug: str
    work: Callable[["Shell"], str | None]


@dataclass(slots=True)
class Terminal:
    """Lines for a person: overwritten in place on a terminal, appended elsewhere."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    _open: bool = False

    def progress(self, text: str) -> None:
        if self.out.isatty():
            print(f"\r\033[K   {text[:100]}", end="", file=self.out, flush=True)
            self._open = True
        else:
            print(f"   {text}", file=self.out, flush=True)

    def line(self, text: str) -> None:
        if self._open:
            print("\r\033[K", end="", file=self.out)
            self._open = False
        print(text, file=self.out, flush=True)


class Shell:
    """Runs commands for one step: all output to its log, the last line to a person."""

    def __init__(self, log: IO[str], terminal: Terminal) -> None:
        self._log = log
        self._terminal = terminal

    def note(self, text: str) -> None:
        """Show a line of progress, and log it."""
        self._log.write(f"-- {text}\n")
        self._log.flush()
        self._terminal.progress(text)

    def capture(
        self,
        *command: str | Path,
        stdin: str | None = None,
        timeout_seconds: float = 60.0,
    ) -> str:
        """Run a command that may be silent, and return what it printed.

        Raises:
            StepFailedError: It exited non-zero or ran past the timeout.
        """
        words = [str(word) for word in command]
        self._log.write(f"$ {' '.join(words)}\n")
        try:
            with _heartbeat(self._terminal, _brief(words)):
                done = subprocess.run(
                    words,
                    input=stdin,
                    capture_output=True,
                    text=True,
                    timeout=timeout_seconds,
                    check=False,
                )
        except subprocess.TimeoutExpired:
            raise StepFailedError(
                f"`{_brief(words)}` did not end within {timeout_seconds:.0f} s"
            ) from None
        self._log.write(done.stderr)
        self._log.flush()
        if done.returncode != 0:
            raise StepFailedError(_reason(words, done.stderr or done.stdout))
        return done.stdout

    def run(
        self, *command: str | Path, environment: Mapping[str, str] | None = None
    ) -> None:
        """Run a command that reports its progress, showing its latest line.

        Raises:
            StepFailedError: It exited non-zero.
        """
        words = [str(word) for word in command]
        self._log.write(f"$ {' '.join(words)}\n")
        self._log.flush()
        tail: list[str] = []
        with subprocess.Popen(
            words,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        ) as process:
            assert process.stdout is not None
            for raw in process.stdout:
                self._log.write(raw)
                self._log.flush()
                tail = [*tail[1 - _TAIL_LINES :], raw.rstrip()]
                if raw.strip():
                    self._terminal.progress(raw.strip())
        if process.returncode != 0:
            raise StepFailedError(_reason(words, "\n".join(tail)))

    def until(
        self, what: str, check: Callable[[], str | None], timeout_seconds: float
    ) -> str:
        """Ask `check` until it answers something, and return that.

        Raises:
            StepFailedError: It answered None until the timeout.
        """
        deadline = time.monotonic() + timeout_seconds
        said = 0.0
        while True:
            answer = check()
            if answer is not None:
                return answer
            now = time.monotonic()
            if now > deadline:
                raise StepFailedError(f"{what} did not come within {timeout_seconds} s")
            if now - said > _HEARTBEAT_SECONDS:
                self.note(f"waiting for {what}")
                said = now
            time.sleep(0.5)


@contextmanager
def _heartbeat(terminal: Terminal, what: str) -> Iterator[None]:
    """Say every while that a silent command still runs, and for how long."""
    stop = threading.Event()
    started = time.monotonic()

    def beat() -> None:
        while not stop.wait(_HEARTBEAT_SECONDS):
            seconds = time.monotonic() - started
            terminal.progress(f"{what}: {seconds:.0f} s so far")

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def run_steps(
    steps: Sequence[Step], logs: Path, again: str, terminal: Terminal
) -> bool:
    """Run the steps in order; False when one failed, which is then explained.

    Args:
        steps: What to do.
        logs: The folder that takes one log per step.
        again: The command that goes on from a failed step.
        terminal: Where a person reads.
    """
    logs.mkdir(parents=True, exist_ok=True)
    for number, step in enumerate(steps, start=1):
        log_file = logs / f"{number:02d}-{step.slug}.log"
        terminal.line(f"[{number}/{len(steps)}] {step.title}")
        started = time.monotonic()
        try:
            with log_file.open("w") as log:
                result = step.work(Shell(log, terminal))
        except StepFailedError as failure:
            terminal.line(_explain(step, failure, log_file, again))
            return False
        seconds = time.monotonic() - started
        terminal.line(f"      {result or 'done'} ({seconds:.1f} s)")
    return True


def _explain(step: Step, failure: StepFailedError, log: Path, again: str) -> str:
    return (
        f"\nFailed at: {step.title}\n"
        f"Why:       {failure}\n"
        f"Log:       {log}\n"
        f"Then:      run `{again}` again; what is done stays done."
    )


def _reason(words: Sequence[str], output: str) -> str:
    lines = [line for line in output.strip().splitlines() if line.strip()]
    last = "\n           ".join(lines[-3:]) if lines else "it said nothing"
    return f"`{_brief(words)}` failed: {last}"


def _brief(words: Sequence[str]) -> str:
    return " ".join([Path(words[0]).name, *words[1:5]])
