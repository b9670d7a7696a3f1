"""Which namespaces the operator serves: those in which it may list all that it needs.

A namespace without the operator's Role (or one that is misspelt, or was deleted) must
not keep the others from being served. It is named in the log, in a metric and in the
readiness text, and served once everything in it can be listed.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import structlog

from mcphub_operator.cache.reflector import Reflector
from mcphub_operator.client.api import Api, Call
from mcphub_operator.client.concurrency import run_together
from mcphub_operator.client.kinds import DISPENSABLE, HUB
from mcphub_operator.errors import ApiError, Refused

log = structlog.get_logger(__name__)

LOOK_SECONDS = 5.0


@dataclass(slots=True)
class ServedNamespaces:
    """The chosen namespaces, sorted into served and refused ones.

    An operator of the whole cluster has none; nothing is sorted then.
    """

    api: Api
    chosen: Sequence[str]
    reflectors: Sequence[Reflector]
    report: Callable[[], None]
    """Called after each look."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when another namespace is served; who has heard of it clears it."""
    refusals: dict[str, str] = field(default_factory=dict)
    """Why a namespace is not served."""

    @property
    def names(self) -> tuple[str, ...]:
        """Return the namespaces that are served."""
        return tuple(name for name in self.chosen if name not in self.refusals)

    @property
    def scopes(self) -> tuple[str | None, ...]:
        """Return what to list: each served namespace; None is the whole cluster."""
        return self.names if self.chosen else (None,)

    def describe(self) -> str:
        """Return which namespaces are not served and why; empty if all are."""
        return "; ".join(
            f"namespace {name} is not served: {why}"
            for name, why in sorted(self.refusals.items())
        )

    async def keep_looking(self) -> None:
        """Look again and again until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Sort the namespaces again."""
        problems = await run_together(map(self._find_problem, self.chosen))
        found = {n: p for n, p in zip(self.chosen, problems, strict=True) if p}
        before, self.refusals = self.refusals, found
        for name in before.keys() - found.keys():
            log.info("namespace_served", namespace=name)
            self.changed.set()
        for name in found.keys() - before.keys():
            log.warning("namespace_not_served", namespace=name, error=found[name])
        self.report()

    async def _find_problem(self, namespace: str) -> str:
        for reflector in self._watches(namespace):
            if not reflector.synced.is_set() or reflector.refused.is_set():
                return reflector.problem or "its objects are not listed yet"
        call = Call("list", HUB.name, "GET", HUB.path(namespace), {"limit": "1"})
        try:
            await self.api.ask(call)
        except Refused as error:
            return error.message
        except ApiError:
            return self.refusals.get(namespace, "")  # it says nothing of this one
        return ""

    def _watches(self, namespace: str) -> Iterator[Reflector]:
        needed = (r for r in self.reflectors if r.scope.kind not in DISPENSABLE)
        return (r for r in needed if r.scope.namespace == namespace)
