"""From the McpHub to its databases: which is the first thing that is wrong.

The sentences are those of the status, which the operator writes; this module decides
the order only. `docs/operations.md` says what to do about each.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mcphub_cli.hubs import Condition, Hub


@dataclass(frozen=True, slots=True)
class Check:
    """One step of the walk.

    Attributes:
        name: What was looked at.
        reason: "" if it is well, else the problem in one word.
        message: What was seen.
    """

    name: str
    reason: str
    message: str

    @property
    def is_well(self) -> bool:
        """Whether the walk goes on."""
        return not self.reason


def examine_status(hub: Hub) -> Iterator[Check]:
    """Yield what the status says, up to the first thing that is wrong."""
    for check in _CHECKS:
        found = check(hub)
        if found is None:
            continue
        yield found
        if not found.is_well:
            return


def _check_operator(hub: Hub) -> Check:
    seen, wanted = hub.observed_generation, hub.generation
    if seen is None:
        return Check(
            "operator",
            "NoStatus",
            f"no operator has written a status; does one serve namespace"
            f" {hub.namespace}? See McpHubOperatorAbsent in docs/alerts.md",
        )
    if seen < wanted and not hub.is_being_deleted:
        return Check(
            "operator",
            "StatusOutdated",
            f"the status is about generation {seen} of the spec, which has {wanted}:"
            " the operator is at work, or absent; see McpHubOperatorAbsent in"
            " docs/alerts.md if this stays",
        )
    if hub.find_condition("ToolsValid") is None:
        return Check(
            "operator",
            "OperatorOutdated",
            "the status lacks the condition ToolsValid: the operator is older than"
            " this program; upgrade it, or use the program of its release",
        )
    return Check("operator", "", f"has seen generation {seen} of the spec")


def _check_secrets(hub: Hub) -> Check:
    return _check_condition(hub, "secrets", "SecretsResolved")


def _check_keys(hub: Hub) -> Check:
    if hub.find_condition("KeysAvailable") is None:
        return Check("signing keys", "", "the hub needs none of an identity provider")
    return _check_condition(hub, "signing keys", "KeysAvailable")


def _check_certificate(hub: Hub) -> Check:
    if hub.find_condition("CertificateValid") is None:
        return Check("certificate", "", "the pods serve without TLS")
    return _check_condition(hub, "certificate", "CertificateValid")


def _check_replicas(hub: Hub) -> Check:
    """Take the reason of Ready, which is the STATUS of `kubectl get mcphubs`.

    That no database is connected says the next check, with the reason of each.
    """
    ready, stalled = hub.ready, hub.find_condition("Stalled")
    if ready.reason == "Available" or _is_about_backends(ready):
        return Check("replicas", "", f"{hub.replicas} ready")
    if stalled and stalled.status == "True" and stalled.reason == ready.reason:
        return Check("replicas", stalled.reason, stalled.message)
    return Check("replicas", ready.reason or "Unknown", ready.message)


def _is_about_backends(ready: Condition) -> bool:
    return ready.status == "True" and ready.reason == "BackendsDown"


def _check_databases(hub: Hub) -> Check:
    condition = hub.find_condition("BackendsReachable")
    if _is_about_backends(hub.ready):
        return Check("databases", hub.ready.reason, _describe_backends(hub))
    if condition is None or condition.status == "True":
        return Check("databases", "", condition.message if condition else "")
    return Check("databases", condition.reason, _describe_backends(hub))


def _describe_backends(hub: Hub) -> str:
    return "; ".join(
        f"{each.name} is {each.state}"
        + (f" ({each.reason})" if each.reason else "")
        + (f": {each.message}" if each.message else "")
        for each in hub.backends
        if each.state != "Connected"
    )


def _check_tools(hub: Hub) -> Check:
    return _check_condition(hub, "declared tools", "ToolsValid")


def _check_condition(hub: Hub, name: str, kind: str) -> Check:
    condition = hub.find_condition(kind)
    if condition is None or condition.status == "True":
        return Check(name, "", condition.message if condition else "")
    return Check(name, condition.reason, condition.message)


def _check_traces(hub: Hub) -> Check | None:
    """Take a collector that loses traces; a hub without traces has no such step.

    Before the first call nothing is known, and nothing is wrong.
    """
    condition = hub.find_condition("TracesExported")
    if condition is None:
        return None
    reason = condition.reason if condition.status == "False" else ""
    return Check("traces", reason, condition.message)


_CHECKS: tuple[Callable[[Hub], Check | None], ...] = (
    _check_operator,
    _check_secrets,
    _check_keys,
    _check_certificate,
    _check_replicas,
    _check_databases,
    _check_tools,
    _check_traces,
)
