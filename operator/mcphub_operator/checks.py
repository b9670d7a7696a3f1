"""What stands in a hub's way, as ordered pure functions of what was observed.

Each check is named after its finding, looks at one thing, and yields what it finds; the
first finding is the one that Ready names. What a finding keeps the operator from doing
is decided in `desired`.
"""

from collections.abc import Callable, Iterator

from mcphub_operator import names
from mcphub_operator.observed import MissingKey, Observed
from mcphub_operator.resources.secrets import makes_token
from mcphub_operator.spec.hub import Hub
from mcphub_operator.status.certificate import find_unusable
from mcphub_operator.status.condition_model import Reason
from mcphub_operator.status.findings import Finding

Check = Callable[[Observed], Iterator[Finding]]


def evaluate(observed: Observed) -> tuple[Finding, ...]:
    """Run all checks, in order."""
    return tuple(finding for check in CHECKS for finding in check(observed))


def name_taken(observed: Observed) -> Iterator[Finding]:
    """A child's name is taken by an object that the hub does not own."""
    adopt = f"{names.ANNOTATION_ADOPT}={observed.hub.name}"
    for child in observed.foreign:
        message = observed.refusals.get(child) or (
            f"{child} exists and does not belong to this hub; rename one of them,"
            f" delete it, or annotate it with {adopt}"
        )
        yield Finding(Reason.CONFLICT, message)


def foreign_autoscaler(observed: Observed) -> Iterator[Finding]:
    """Another autoscaler scales the hub's Deployment and would fight over replicas."""
    for autoscaler in observed.foreign_autoscalers:
        yield Finding(
            Reason.CONFLICT,
            f"HorizontalPodAutoscaler {autoscaler} scales this hub's Deployment;"
            " delete it and set spec.autoscaling, or let it target the McpHub",
        )


def hub_autoscaler(observed: Observed) -> Iterator[Finding]:
    """An autoscaler scales the McpHub, and something else decides the replicas."""
    found = observed.hub_autoscalers
    listed = ", ".join(found)
    if found and observed.hub.spec.autoscaling is not None:
        yield Finding(
            Reason.CONFLICT,
            f"HorizontalPodAutoscaler {listed} scales this McpHub, whose replicas"
            " spec.autoscaling decides; delete it, or remove spec.autoscaling",
        )
    elif len(found) > 1:
        yield Finding(
            Reason.CONFLICT,
            f"HorizontalPodAutoscalers {listed} scale this McpHub against each other;"
            " delete all but one",
        )


def secret_missing(observed: Observed) -> Iterator[Finding]:
    """A Secret or key that the pods mount does not exist."""
    for missing in observed.user_secrets.missing:
        yield Finding(Reason.SECRET_MISSING, _describe(observed.hub, missing))


def certificate_unusable(observed: Observed) -> Iterator[Finding]:
    """No server can use what the Secret of the certificate has."""
    yield from find_unusable(observed)


def stale_children(observed: Observed) -> Iterator[Finding]:
    """Children of a deleted hub of this name wait for the garbage collector."""
    if observed.stale:
        listed = ", ".join(map(str, observed.stale))
        yield Finding(
            Reason.WRITE_FAILED,
            "waiting for garbage collection of objects from a deleted hub of the same"
            f" name: {listed}",
        )


def ending_children(observed: Observed) -> Iterator[Finding]:
    """A child is being deleted and recreated only once its finalizers are gone."""
    for child, live in observed.children.items():
        if live.waits_for:
            yield Finding(
                Reason.WRITE_FAILED,
                f"{child} is being deleted and is created again once these finalizers"
                f" are removed: {', '.join(live.waits_for)}",
            )


def _describe(hub: Hub, missing: MissingKey) -> str:
    own = names.auth_secret(hub.name) if makes_token(hub) else ""
    if missing.secret in (own, names.keys_secret(hub.name)):
        return (
            f"Secret {missing.secret} is one that the operator makes for this hub;"
            " name another Secret in the spec"
        )
    if missing.key:
        return f"Secret {missing.secret} has no key {missing.key}; add it"
    return f"Secret {missing.secret} does not exist; create it"


CHECKS: tuple[Check, ...] = (
    name_taken,
    foreign_autoscaler,
    hub_autoscaler,
    secret_missing,
    certificate_unusable,
    stale_children,
    ending_children,
)
