"""The declared tools and prompts that are not Ready, and whether all replicas agree.

A replica is Invalid about a tool as soon as its database or its parser refuses the
statement. Replicas of an earlier version report nothing about tools and count nowhere.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from mcphub_operator.observed import Observed, PodReport, ToolReport
from mcphub_operator.resources.config_map import build_live_digest
from mcphub_operator.spec.status_schema import ToolState
from mcphub_operator.status.backends import find_reports

MAX_MESSAGE = 512
MAX_REASON = 64


class ToolsView(NamedTuple):
    """What is known of a hub's live configuration.

    Attributes:
        tools: The status entries of tools that are not Ready, in the spec's order.
        prompts: Those of prompts.
        declared: How many tools should be there: those of enabled backends.
        known: Whether a replica has reported about tools.
        problem: Why a replica refuses the configuration; empty: none does.
        warnings: What is odd about it.
        behind: How many replicas run another one.
        replicas: How many replicas have reported.
    """

    tools: Sequence[Mapping[str, Any]] = ()
    prompts: Sequence[Mapping[str, Any]] = ()
    declared: int = 0
    known: bool = False
    problem: str = ""
    warnings: tuple[str, ...] = ()
    behind: int = 0
    replicas: int = 0

    @property
    def ready(self) -> int:
        """Return how many tools are Ready."""
        return self.declared - len(self.tools) if self.known else 0


NOTHING_KNOWN = ToolsView()


def build_tools(observed: Observed) -> ToolsView:
    """Return what the ready replicas say about the declared tools."""
    wanted = find_declared(observed)
    asked = [prompt.name for prompt in observed.hub.spec.prompts]
    reports = [each for each in find_reports(observed) or () if knows_tools(each)]
    if not reports:
        prompts = _keep(
            observed, "prompts", [p.name for p in observed.hub.spec.prompts]
        )
        return ToolsView(_keep(observed, "tools", wanted), prompts, len(wanted))
    digest = build_live_digest(observed.hub)
    current = [each for each in reports if each.digest == digest and not each.problem]
    # while a change arrives, what replicas say is of other tools
    said = current or reports
    return ToolsView(
        tools=_list_unready(wanted, [tool for each in said for tool in each.tools]),
        prompts=_list_unready(asked, [text for each in said for text in each.prompts]),
        declared=len(wanted),
        known=True,
        problem=min((r.problem for r in reports if r.problem), default=""),
        warnings=tuple(sorted({text for each in current for text in each.warnings})),
        behind=sum(each.digest != digest for each in reports),
        replicas=len(reports),
    )


def find_declared(observed: Observed) -> list[str]:
    """Return the names of the tools of enabled backends."""
    spec = observed.hub.spec
    enabled = {backend.name for backend in spec.backends if backend.enabled}
    return [tool.name for tool in spec.tools if tool.backend in enabled]


def knows_tools(report: PodReport) -> bool:
    """Tell whether a replica's version knows declared tools."""
    return report.digest is not None


def _keep(
    observed: Observed, field: str, wanted: Sequence[str]
) -> list[dict[str, Any]]:
    """Keep what was known: a restarted operator rewrites no status that is true."""
    told = observed.status.get(field) or ()
    before = {each.get("name"): dict(each) for each in told}
    return [before[name] for name in wanted if name in before]


def _list_unready(
    wanted: Sequence[str], reports: Sequence[ToolReport]
) -> list[dict[str, Any]]:
    entries = (_build(name, reports) for name in wanted)
    return [entry for entry in entries if entry]


def _build(name: str, reports: Sequence[ToolReport]) -> dict[str, Any]:
    found = [each for each in reports if each.name == name]
    worst = find_worst(found)
    if worst is None or worst.state == ToolState.READY:
        return {}
    entry = {
        "name": name,
        "state": worst.state,
        "reason": worst.reason[:MAX_REASON],
        "message": worst.message[:MAX_MESSAGE],
    }
    return {key: value for key, value in entry.items() if value}


def find_worst(found: Iterable[ToolReport]) -> ToolReport | None:
    """Return the worst report; replicas that word it differently must not flicker."""
    order = (ToolState.INVALID, ToolState.UNCHECKED, ToolState.READY)
    known = [each for each in found if each.state in order]
    return min(
        known,
        key=lambda each: (
            order.index(ToolState(each.state)),
            each.reason,
            each.message,
        ),
        default=None,
    )
