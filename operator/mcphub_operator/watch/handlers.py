"""kopf's part: every event about a hub is passed on, and that is all.

No handler decides or writes anything. kopf's create and update handlers, timers,
daemons and indices are not used: they add finalizers and annotations, hide updates for
tens of seconds after a patch or an error, and keep what was deleted while a watch was
broken.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import repeat
from typing import Any

import kopf

from mcphub_operator import names

Login = Callable[[], Awaitable[kopf.AiohttpSession]]
Deliver = Callable[[str | None, dict[str, Any]], None]
"""Takes an event: its type (None for an object of a list) and the hub."""

RETRY_SECONDS = 2.0
SILENCE_SECONDS = 100.0
IDLE_SECONDS = 0.1
PAGE_SIZE = 100


class _Always:
    """Retry without end: an absent API server comes back."""

    def __iter__(self) -> Iterator[float]:
        return repeat(RETRY_SECONDS)


class _NoDiffs(kopf.DiffBaseStorage):  # type: ignore[misc]  # kopf is not looked into
    """Nothing is compared: copying each hub for it is most of what an event costs."""

    def build(self, **_: Any) -> kopf.BodyEssence:
        """Say that nothing of a hub matters."""
        return kopf.BodyEssence()

    def fetch(self, **_: Any) -> None:
        """Say that nothing was remembered."""

    def store(self, **_: Any) -> None:
        """Write nothing onto the hub."""


def build_registry(login: Login, deliver: Deliver) -> kopf.OperatorRegistry:
    """Return kopf's handlers."""
    registry = kopf.OperatorRegistry()

    async def log_in(**_: Any) -> kopf.AiohttpSession:
        return await login()

    async def enqueue(event: Any, **_: Any) -> None:
        deliver(event["type"], dict(event["object"]))

    kopf.on.login(registry=registry)(log_in)
    kopf.on.event(names.GROUP, names.VERSION, names.PLURAL, registry=registry)(enqueue)
    return registry


def build_settings() -> kopf.OperatorSettings:
    """Return kopf's settings: no writes of its own, and no giving up."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.peering.standalone = True
    # A task for each hub holds its last event for so long: at the start, for all.
    settings.queueing.idle_timeout = IDLE_SECONDS
    settings.persistence.diffbase_storage = _NoDiffs()
    settings.watching.chunk_size = PAGE_SIZE
    settings.watching.inactivity_timeout = SILENCE_SECONDS
    settings.networking.error_backoffs = _Always()
    settings.networking.request_timeout = 30.0
    settings.networking.connect_timeout = 5.0
    return settings


async def watch_hubs(
    registry: kopf.OperatorRegistry, namespaces: Sequence[str], stop: Any
) -> None:
    """Run kopf until `stop`, an event of any sort, is set.

    The identity is for kopf's peering, which is off; left to itself kopf asks for the
    user's name, and the container's user has none.
    """
    await kopf.operator(
        registry=registry,
        settings=build_settings(),
        standalone=True,
        identity="mcphub-operator",
        clusterwide=not namespaces,
        namespaces=list(namespaces),
        stop_flag=stop,
    )
