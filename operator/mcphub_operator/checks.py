"""What stands in a hub's way, as ordered pure functions of what was observed.

Each check looks at one thing and returns the findings that it finds; the first finding
is the one that Ready names. What a finding keeps the operator from doing is decided in
`desired`.
"""

from collections.abc import Callable, Iterator

from mcphub_operator import names
from mcphub_operator.observed import MissingKey, Observed
from mcphub_operator.status.condition_model import Reason
from mcphub_operator.status.findings import Finding

Check = Callable[[Observed], Iterator[Finding]]


def evaluate(observed: Observed) -> tuple[Finding, ...]:
    """Run all checks, in order."""
    return tuple(finding for check in CHECKS for finding in check(observed))


def belongs_to_nobody_else(observed: Observed) -> Iterator[Finding]:
    """A child's name may be taken by an object that the hub does not own."""
    adopt = f"{names.ANNOTATION_ADOPT}={observed.hub.name}"
    for child in observed.foreign:
        yield Finding(
            Reason.CONFLICT,
            f"{child} exists and does not belong to this hub; rename one of them,"
            f" delete it, or annotate it with {adopt}",
        )


def starts_clean(observed: Observed) -> Iterator[Finding]:
    """A hub made anew waits until the garbage collector is done with its namesake."""
    if observed.stale:
        listed = ", ".join(map(str, observed.stale))
        yield Finding(
            Reason.WRITE_FAILED,
            f"waiting for the end of what a deleted hub of this name left: {listed}",
        )


def scales_alone(observed: Observed) -> Iterator[Finding]:
    """Another autoscaler on the hub's Deployment would fight over the replicas."""
    for autoscaler in observed.foreign_autoscalers:
        yield Finding(
            Reason.CONFLICT,
            f"HorizontalPodAutoscaler {autoscaler} scales this hub's Deployment;"
            " delete it and set spec.autoscaling, or let it target the McpHub",
        )


def has_its_secrets(observed: Observed) -> Iterator[Finding]:
    """Pods cannot start without the Secrets that they mount."""
    for missing in observed.user_secrets.missing:
        yield Finding(Reason.SECRET_MISSING, _describe(missing))


def _describe(missing: MissingKey) -> str:
    if missing.key:
        return f"Secret {missing.secret} has no key {missing.key}; add it"
    return f"Secret {missing.secret} does not exist; create it"


CHECKS: tuple[Check, ...] = (
    belongs_to_nobody_else,
    scales_alone,
    has_its_secrets,
    starts_clean,
)
