"""What a person looks at first when a test on a real cluster has failed.

Everything is trimmed to what one reads, and no value of a Secret is left in it.
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from benchmarks.faults.ledger import Call
from benchmarks.faults.report import describe, list_failed
from benchmarks.faults.runner import FaultRun
from tests.support.installation import Installation
from tools.quickstart.steps import StepFailedError

OPERATORS = "app.kubernetes.io/name=mcphub-operator"
HUB_PODS = "app.kubernetes.io/managed-by=mcphub-operator"
MAX_PODS = 6
MAX_CALLS = 20
LOG_LINES = 12
OPERATOR_LINES = 40
EVENTS = 25
ROUTINE = re.compile(r" Normal +(Scheduled|Pulled|Created|Started|SuccessfulCreate) ")
LONGEST_LINE = 400
SHORTEST_SECRET = 6
USER = "user"
"""Keys with a user's name: no secret, and part of many a word."""

Section = tuple[str, str]


@dataclass(frozen=True, slots=True)
class FailureReport:
    """The sections about one failed test.

    Attributes:
        place: The namespace that the test used.
        since: When the test began.
    """

    place: Installation
    since: datetime

    def build(self, runs: Iterable[FaultRun] = ()) -> list[Section]:
        """Ask the cluster, and return titles and texts."""
        namespace = self.place.namespace
        secrets = find_secrets(self.place)
        sections = [
            (f"hubs in {namespace}", self._describe_hubs()),
            (f"pods in {namespace}", self._kubectl("get", "pods", "-o", "wide")),
            (f"hub pods' last lines in {namespace}", self._read_pod_logs()),
            (f"events in {namespace}", self._read_events()),
            (f"operator since {self.since:%H:%M:%S}", self._read_operator_log()),
            ("failed calls", "\n".join(describe_calls(runs))),
        ]
        return [(title, redact(text, secrets)) for title, text in sections if text]

    def _kubectl(self, *words: str) -> str:
        """Return what kubectl prints, or why it prints nothing."""
        try:
            return trim(self.place.kubectl(*words))
        except StepFailedError as error:
            return trim(str(error))

    def _describe_hubs(self) -> str:
        table = self._kubectl("get", "mcphubs", "-o", "wide")
        conditions = self._kubectl("get", "mcphubs", "-o", f"jsonpath={CONDITIONS}")
        return f"{table}\n{conditions}"

    def _read_pod_logs(self) -> str:
        names = self._kubectl("get", "pods", "-l", HUB_PODS, "-o", "name").split()
        return "\n".join(
            f"== {name}\n{self._kubectl('logs', name, f'--tail={LOG_LINES}')}"
            for name in names[:MAX_PODS]
            if name.startswith("pod/")
        )

    def _read_events(self) -> str:
        words = ("get", "events", "--sort-by=.lastTimestamp", "--no-headers")
        lines = self._kubectl(*words).splitlines()
        telling = [line for line in lines if not ROUTINE.search(line)]
        return last_lines(telling, EVENTS)

    def _read_operator_log(self) -> str:
        """Return the lines about this namespace's hubs, and about none."""
        operator = FailureReport(self.place.operator, self.since)
        since = f"--since-time={self.since:%Y-%m-%dT%H:%M:%SZ}"
        words = ("logs", "-l", OPERATORS, "--tail=-1", since)
        lines = operator._kubectl(*words).splitlines()
        ours = f'"{self.place.namespace}/'
        return last_lines(
            [line for line in lines if ours in line or '"hub"' not in line],
            OPERATOR_LINES,
        )


CONDITIONS = (
    '{range .items[*]}{.metadata.name}{":\\n"}{range .status.conditions[*]}'
    '{"  "}{.lastTransitionTime} {.type}={.status} {.reason}: {.message}{"\\n"}{end}'
    '{range .status.backends[*]}{"  backend "}{.name} {.state} {.reason}'
    ' {.message}{"\\n"}{end}{end}'
)


def describe_calls(runs: Iterable[FaultRun]) -> Iterator[str]:
    """Yield a line for each call that failed, as its client saw it."""
    for run in runs:
        yield f"{run.name}: {run.problem or 'the cluster settled'}"
        failed: list[Call] = list_failed(run.ledger)
        for call in failed[:MAX_CALLS]:
            took = call.ended - call.started
            yield f"  at {call.started:.2f} s for {took:.2f} s: {describe(call)}"


def find_secrets(place: Installation) -> set[str]:
    """Return the values of all Secrets of the cluster, as they may appear in text."""
    words = ("get", "secrets", "--all-namespaces", "-o", "json")
    try:
        items = json.loads(place.kubectl(*words))["items"]
    except StepFailedError:
        return set()
    encoded = {
        value
        for item in items
        for key, value in (item.get("data") or {}).items()
        if USER not in key
    }
    return encoded | {
        base64.b64decode(value).decode(errors="replace") for value in encoded
    }


def redact(text: str, secrets: Iterable[str]) -> str:
    """Replace secrets in a text, the longest first."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, "[redacted]")
    return text


def trim(text: str) -> str:
    """Shorten long lines, and drop colours and trailing space."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text).rstrip()
    return "\n".join(line[:LONGEST_LINE] for line in plain.splitlines())


def last_lines(lines: Sequence[str], count: int) -> str:
    """Return the last lines, and how many there were before."""
    left_out = len(lines) - count
    head = [f"({left_out} earlier lines)"] if left_out > 0 else []
    return "\n".join([*head, *lines[-count:]])
