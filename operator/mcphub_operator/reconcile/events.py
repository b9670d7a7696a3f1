"""Events: one for each transition of a hub, in events.k8s.io/v1.

An Event that cannot be written is lost and logged; a pass never fails for it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from mcphub_operator import names
from mcphub_operator.client.kinds import EVENT
from mcphub_operator.client.writer import Writer
from mcphub_operator.errors import ApiError, is_namespace_ending
from mcphub_operator.observed import HubKey
from mcphub_operator.status.transitions import Transition, find_transitions

log = structlog.get_logger(__name__)

MAX_NOTE_BYTES = 1024


@dataclass(frozen=True, slots=True)
class EventRecorder:
    """Writes Events about hubs."""

    writer: Writer
    identity: str
    now: Callable[[], datetime]

    async def report(
        self, key: HubKey, uid: str, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> None:
        """Write an Event for each transition between two statuses."""
        for transition in find_transitions(before, after):
            log.info(
                "hub_transition",
                hub=str(key),
                condition=transition.condition,
                reason=transition.reason,
            )
            await self.write(key, uid, transition)

    async def write(self, key: HubKey, uid: str, transition: Transition) -> None:
        """Write one Event."""
        event = build_event(key, uid, transition, self.identity, self.now())
        try:
            await self.writer.create(EVENT, key.namespace, event)
        except ApiError as error:
            if not is_namespace_ending(error):
                log.warning("event_lost", hub=str(key), error=error.message)


def build_event(
    key: HubKey, uid: str, transition: Transition, identity: str, now: datetime
) -> dict[str, Any]:
    """Return the Event of a transition."""
    return {
        "apiVersion": EVENT.group_version,
        "kind": EVENT.name,
        "metadata": {
            "generateName": f"{key.name}-",
            "namespace": key.namespace,
        },
        "eventTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "reportingController": f"{names.GROUP}/{names.OPERATOR_NAME}",
        "reportingInstance": identity[:128],
        "action": f"{transition.condition}Changed",
        "reason": transition.reason,
        "type": "Warning" if transition.warning else "Normal",
        "note": shorten(transition.message, MAX_NOTE_BYTES),
        "regarding": {
            "apiVersion": names.API_VERSION,
            "kind": names.KIND,
            "name": key.name,
            "namespace": key.namespace,
            "uid": uid,
        },
    }


def shorten(text: str, size: int) -> str:
    """Cut a text to so many bytes of UTF-8, between characters."""
    return text.encode()[:size].decode(errors="ignore")
