"""Writing, before anything else of a hub, which installation keeps it.

`installations` decides; this does what was decided, and tells it.
"""

from dataclasses import dataclass

import structlog

from mcphub_operator import names
from mcphub_operator.cache.children import ChildCache
from mcphub_operator.client.kinds import CONFIG_MAP
from mcphub_operator.client.writer import Writer
from mcphub_operator.errors import ApiError
from mcphub_operator.observed import CachedObject, HubKey, Observed
from mcphub_operator.reconcile.events import EventRecorder
from mcphub_operator.reconcile.installations import Claim, Installations, Verdict
from mcphub_operator.reconcile.snapshot import HubSnapshot
from mcphub_operator.repairs import Operation
from mcphub_operator.resources.manifest import ChildId
from mcphub_operator.status.transitions import Transition

log = structlog.get_logger(__name__)

_ESCAPED = names.ANNOTATION_OPERATOR.replace("/", "~1")


class HubLeft(Exception):
    """The hub is not written in this pass: it may be another installation's."""

    def __init__(self, claim: Claim) -> None:
        super().__init__(claim)
        self.claim = claim


@dataclass(frozen=True, slots=True)
class HubClaims:
    """Claims hubs for this installation of the operator."""

    installations: Installations
    writer: Writer
    children: ChildCache
    events: EventRecorder

    async def check(self, snapshot: HubSnapshot, observed: Observed) -> None:
        """Return if the hub is this installation's to keep.

        Raises:
            HubLeft: it is not, or that is not known yet.
            ApiError: this installation's name could not be written.
        """
        key = snapshot.key
        child = ChildId(CONFIG_MAP.name, key.name)
        live = observed.children.get(child)
        claim = self.installations.judge(key, live.installation if live else "")
        if claim.verdict is Verdict.KEEP:
            return
        if live is not None and claim.verdict is Verdict.TRY:
            await self._name(key, child, live)
        if live is not None and claim.verdict is Verdict.FOUND:
            other = live.installation
            log.warning("hub_of_another_installation", hub=str(key), other=other)
            await self.events.write(key, snapshot.uid, build_leaving(other))
        raise HubLeft(claim)

    async def _name(self, key: HubKey, child: ChildId, live: CachedObject) -> None:
        operations = build_naming(self.installations.own)
        write = self.writer.repair
        try:
            answer = await write(key.namespace, child, live.version, operations)
        except ApiError:
            self.installations.retract(key)
            raise
        self.children.learn(CONFIG_MAP, answer)


def build_naming(own: str) -> tuple[Operation, ...]:
    """Return what writes an installation's name on a ConfigMap, and nothing else."""
    path = f"/metadata/annotations/{_ESCAPED}"
    return ({"op": "replace", "path": path, "value": own},)


def build_leaving(other: str) -> Transition:
    """Return the Event that a hub is left to another installation."""
    return Transition(
        "Operator",
        "AnotherOperator",
        f"the operator whose Lease is {other} keeps this hub; this one writes nothing:"
        " remove one of the two, or give each its own MCPHUB_NAMESPACES",
        warning=True,
    )
