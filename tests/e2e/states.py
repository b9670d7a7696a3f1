"""What kubectl prints of a hub in each state, as docs/operations.md shows it.

The document's blocks are made by the tests that bring a hub into the states, so they
show only what a hub was.
"""

import re
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tests.support.installation import Installation
from tools.project import DOCS

PAGE = DOCS / "operations.md"
STATES = (
    *("ready", "scaling", "one backend down", "missing secret", "conflict"),
    *("paused", "scaled to zero", "upgrade stuck"),
)
CAUSES = ("causes", "causes in the cluster")
HUB = "team-data"
_CAUSE = re.compile(
    r"^(?P<what>[^\n]+)\n\n(?P<shown>```\n.*?\n```\n\n> [^\n]*)",
    re.DOTALL | re.MULTILINE,
)
"""What was done, what kubectl prints, and MESSAGE as a quotation."""


@dataclass
class StatusCaptures:
    """Captured output about the hub `team-data`, by state."""

    blocks: dict[str, str] = field(default_factory=dict)

    def take(self, team: Installation, state: str) -> None:
        assert state in STATES, state
        self.blocks[state] = capture_status(team)

    def take_cause(self, team: Installation, group: str, what: str) -> None:
        """Add what was done, and what the hub says of it, to a group of causes."""
        assert group in CAUSES, group
        causes = find_causes(self.blocks.get(group) or find_block(group))
        self.blocks[group] = render_causes(causes | {what: capture_cause(team)})


def capture_status(team: Installation) -> str:
    """The table, the Events since the last capture, and the status."""
    table = team.kubectl("get", "mcphubs").rstrip()
    described = team.kubectl("describe", "mcphub", HUB)
    events = described[described.index("Events:") :].rstrip()
    team.kubectl("delete", "events", "--all")
    whole = team.kubectl("get", "mcphub", HUB, "-o", "yaml")
    status = whole[whole.index("\nstatus:") + 1 :]
    return (
        f"```\n$ kubectl get mcphubs\n{table}\n\n"
        f"$ kubectl describe mcphub {HUB}\n…\n{events}\n```\n\n"
        f"<details><summary>kubectl get mcphub {HUB} -o yaml: the status</summary>\n\n"
        f"```yaml\n{status}```\n\n</details>"
    )


def capture_cause(team: Installation) -> str:
    """The table, and MESSAGE as a paragraph, of one moment."""
    tables: list[str] = []
    told: list[dict[str, str]] = []

    def is_one_moment() -> bool:
        told[:] = [team.condition(HUB, "Ready")]
        tables[:] = [team.kubectl("get", "mcphubs").rstrip()]
        return team.condition(HUB, "Ready") == told[0]

    team.until("a status that stays", is_one_moment)
    return f"```\n$ kubectl get mcphubs\n{tables[0]}\n```\n\n> {told[0]['message']}"


def find_causes(block: str) -> dict[str, str]:
    """Return what a block shows, by what was done."""
    return {found["what"]: found["shown"] for found in _CAUSE.finditer(block)}


def render_causes(causes: Mapping[str, str]) -> str:
    return "\n\n".join(f"{what}\n\n{shown}" for what, shown in causes.items())


def find_block(name: str) -> str:
    """Return a block as the page has it: a run of some tests keeps the others'."""
    found = _marks(name).search(PAGE.read_text())
    return found["block"] if found else ""


def _marks(name: str) -> re.Pattern[str]:
    begin, end = f"<!-- {name} -->\n", "<!-- end -->"
    return re.compile(rf"(?P<begin>{begin})(?P<block>.*?)(?P<end>{end})", re.DOTALL)


def times_block(times: Iterable[tuple[str, float]], conditions: str) -> str:
    rows = "\n".join(
        f"| {what.replace('->', '→')} | {seconds:.1f} |" for what, seconds in times
    )
    text = textwrap.fill(conditions, 88)
    return f"{text}\n\n| from → to | seconds |\n|---|---|\n{rows}"


def count_times(block: str) -> int:
    """Return how many times a block of the page has."""
    return len(re.findall(r"^\| .* \| [\d.]+ \|$", block, re.MULTILINE))


def write_blocks(blocks: Mapping[str, str]) -> None:
    """Put each block between its marks in the document.

    Raises:
        KeyError: the document has no marks for one.
    """
    text = PAGE.read_text()
    for name, block in blocks.items():
        marks = _marks(name)
        if not marks.search(text):
            raise KeyError(name)
        text = marks.sub(
            lambda found, new=block: f"{found['begin']}{new}\n{found['end']}", text
        )
    PAGE.write_text(text)
