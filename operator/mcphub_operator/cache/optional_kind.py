"""Whether the cluster serves a kind that Kubernetes itself does not have.

The definitions of the Gateway API may be installed, removed and installed again while
the operator runs. The kind's watch notices when it is gone; from then on discovery is
asked, which takes no right, and only while a hub asks for the kind.
"""

import asyncio
from collections.abc import Callable

import structlog

from mcphub_operator.client.api import Api
from mcphub_operator.client.kinds import Kind
from mcphub_operator.errors import ApiError, NotServed

log = structlog.get_logger(__name__)

POLL_SECONDS = 10.0


class OptionalKind:
    """What the operator knows about a kind's presence.

    Args:
        api: asks discovery.
        kind: the kind.
        is_wanted: returns whether any hub asks for the kind.
        changed: called when the kind has come or gone; `is_served` says which.
    """

    def __init__(
        self,
        api: Api,
        kind: Kind,
        is_wanted: Callable[[], bool],
        changed: Callable[[], None],
    ) -> None:
        self.is_served = False
        self._api = api
        self._kind = kind
        self._is_wanted = is_wanted
        self._changed = changed

    def note(self, *, served: bool) -> None:
        """Take over whether the kind is served."""
        if served == self.is_served:
            return
        self.is_served = served
        log.info("kind_served" if served else "kind_not_served", kind=self._kind.name)
        self._changed()

    async def wait_served(self) -> None:
        """Return once discovery shows the kind.

        An API server that starts shows no custom kind for a moment, so only a second
        look, some seconds after the watch's, makes a kind count as gone.
        """
        while True:
            await asyncio.sleep(POLL_SECONDS)
            if not self._is_wanted():
                continue
            try:
                if await self._is_discovered():
                    return
            except ApiError as error:
                log.info("discovery_failed", kind=self._kind.name, error=error.message)
            else:
                self.note(served=False)

    async def _is_discovered(self) -> bool:
        try:
            found = await self._api.get_path(f"/apis/{self._kind.group_version}")
        except NotServed:
            return False
        resources = found.get("resources") or ()
        return any(each["name"] == self._kind.plural for each in resources)
