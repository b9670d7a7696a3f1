"""Keeps the declared tools, the prompts and the access rules as the live file says.

The file is looked at every second, as the token files are. One that does not hold
leaves the last good one in force, and `/status` says so; before there was a good one,
no client may call a tool. Statements are checked against their database when it answers
for the first time, when it answers again, and while it refuses them.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from mcphub_server.backends.base import BackendState
from mcphub_server.backends.health import BackendMonitor
from mcphub_server.background import end_if_cancelled, keep_going
from mcphub_server.config.live import CLOSED, LiveConfig, load_live
from mcphub_server.errors import ConfigError
from mcphub_server.tools.access import AccessPolicy
from mcphub_server.tools.catalog import ToolCatalog
from mcphub_server.tools.declared.entries import (
    BuildStatement,
    DeclaredEntry,
    EntryParts,
    ToolState,
    build_entries,
    list_offered,
)
from mcphub_server.tools.prompts.catalog import PromptCatalog, judge_prompts

LOOK_SECONDS = 1.0
AGAIN_SECONDS = 30.0
"""How often an Invalid statement is held against its database again."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LiveParts:
    """What live tools are built from.

    Attributes:
        path: The live file.
        builders: How statements are built, by the name of an enabled backend.
        hidden: Backends that are not enabled.
        monitors: The backends' health.
        own_claims: Claims that the backends' `identity` names.
        prompts: Where the prompts go.
    """

    path: Path
    builders: Mapping[str, BuildStatement]
    hidden: Sequence[str]
    monitors: Sequence[BackendMonitor]
    prompts: PromptCatalog
    own_claims: frozenset[str] = frozenset()


async def notify_none() -> None:
    """Do nothing: there are no sessions."""


class LiveTools:
    """The live part of a hub's configuration, in force."""

    def __init__(
        self,
        parts: LiveParts,
        catalog: ToolCatalog,
        on_change: Callable[[], None],
        register: Callable[[Iterable[str]], None],
        notify_sessions: Callable[[], Awaitable[None]] = notify_none,
    ) -> None:
        self._notify_sessions = notify_sessions
        self._parts = parts
        self._catalog = catalog
        self._on_change = on_change
        self._register = register
        self._signature: object = ()
        self._digest = ""
        self._problem = ""
        self._entries: list[DeclaredEntry] = []
        self._policy = AccessPolicy(None)
        self._claims: frozenset[str] = parts.own_claims
        self._checked: dict[str, tuple[datetime, float]] = {}
        self._woken = asyncio.Event()
        self.applied_at = 0.0
        if not self.reload():
            self._apply(CLOSED)

    @property
    def claims(self) -> frozenset[str]:
        """The claims that the configuration names."""
        return self._claims

    def wake(self) -> None:
        """Look at once: a backend's state changed, or a call met a changed schema."""
        self._woken.set()

    def reload(self) -> bool:
        """Read the file if it changed; return whether another one is in force."""
        signature = sign_file(self._parts.path)
        if signature == self._signature:
            return False
        self._signature = signature
        try:
            config = load_live(self._parts.path)
        except ConfigError as error:
            self._problem = str(error)
            log.warning("live configuration refused", problem=self._problem)
            self._on_change()
            return False
        self._problem = ""
        self._apply(config)
        log.info("live configuration applied", digest=config.digest)
        return True

    def _apply(self, config: LiveConfig) -> None:
        parts = self._parts
        self._entries = build_entries(
            config,
            EntryParts(
                parts.builders, parts.hidden, self._catalog.is_built_in, self.recheck
            ),
        )
        self._policy = AccessPolicy(config.access)
        self._digest = config.digest
        self.applied_at = time.time()
        self._claims = parts.own_claims | self._policy.claims | list_claims(config)
        self._checked.clear()
        self._catalog.replace(list_offered(self._entries), self._policy)
        enabled = [each.backend.name for each in parts.monitors]
        parts.prompts.replace(judge_prompts(config, enabled, parts.hidden))
        self._announce()

    def _announce(self) -> None:
        self._register(self._catalog.names)
        self._on_change()

    async def watch(self) -> None:
        """Follow the file and the databases until cancelled; run it as a task."""
        async with asyncio.TaskGroup() as group:
            group.create_task(keep_going(self._watch_file, "live configuration"))
            group.create_task(keep_going(self._watch_databases, "declared tools"))

    async def _watch_file(self) -> None:
        while True:
            if self.reload():
                self.wake()
                await self._notify_sessions()
            await asyncio.sleep(LOOK_SECONDS)

    async def _watch_databases(self) -> None:
        while True:
            await self.check()
            end_if_cancelled()
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                pass
            self._woken.clear()

    async def check(self) -> None:
        """Ask the databases that answer about the statements that need it."""
        now = asyncio.get_running_loop().time()
        due = [name for name in self._list_connected() if self._is_due(name, now)]
        for name in due:
            self._checked[name] = (self._find_since(name), now)
        changed = False
        for entry in [each for each in self._entries if each.backend in due]:
            changed |= await entry.check()
        if changed:
            self._catalog.replace_declared(list_offered(self._entries))
            self._announce()
            await self._notify_sessions()

    def _list_connected(self) -> list[str]:
        return [
            monitor.backend.name
            for monitor in self._parts.monitors
            if monitor.observation.health.state is BackendState.CONNECTED
        ]

    def _is_due(self, backend: str, now: float) -> bool:
        since, at = self._checked.get(backend, (None, 0.0))
        if since != self._find_since(backend):
            return True
        is_ready = all(
            each.verdict.state is ToolState.READY
            for each in self._entries
            if each.backend == backend and each.statement is not None
        )
        return not is_ready and now - at >= AGAIN_SECONDS

    def recheck(self, backend: str) -> None:
        """Check a backend's statements again: its schema may have changed."""
        self._checked.pop(backend, None)
        self.wake()

    def _find_since(self, backend: str) -> datetime:
        return next(
            monitor.observation.since
            for monitor in self._parts.monitors
            if monitor.backend.name == backend
        )

    def render(self) -> dict[str, Any]:
        """Return what `/status` shows: tools, prompts, and which configuration runs."""
        return {
            "tools": [describe_entry(entry) for entry in self._entries],
            "prompts": self._parts.prompts.render(),
            "configuration": {
                "digest": self._digest,
                "problem": self._problem,
                "warnings": self._policy.find_idle(self._catalog.names),
            },
        }


def describe_entry(entry: DeclaredEntry) -> dict[str, str]:
    """Return one tool as `/status` shows it."""
    verdict = entry.verdict
    return {
        "name": entry.name,
        "state": verdict.state.value,
        "reason": verdict.reason.value if verdict.reason else "",
        "message": verdict.message,
    }


def list_claims(config: LiveConfig) -> frozenset[str]:
    """Return the claims that parameters take."""
    parameters = [each for tool in config.tools for each in tool.parameters]
    return frozenset(each.from_claim for each in parameters if each.from_claim)


def sign_file(path: Path) -> object:
    """Return what changes when a file changes; Kubernetes swaps a link before it."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
