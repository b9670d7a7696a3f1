"""`/status`: what the operator reads of a replica, and long-polls for a change of.

The ETag covers what the McpHub's status shows (version, serving, draining, auth,
backends) without the counters: a busy replica must not answer every long poll at once.
"""

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from mcphub_server.auth.report import AuthReport
from mcphub_server.backends.health import BackendMonitor
from mcphub_server.traffic.state import ServerState

LONGEST_WAIT_SECONDS = 300.0


class StatusBoard:
    """The current status, and the long polls that wait for the next one."""

    def __init__(
        self,
        version: str,
        monitors: Iterable[BackendMonitor],
        state: ServerState,
        report_auth: Callable[[], AuthReport] = AuthReport,
        render_live: Callable[[], Mapping[str, Any]] = dict,
    ) -> None:
        self._render_live = render_live
        self._version = version
        self._monitors = tuple(monitors)
        self._state = state
        self._report_auth = report_auth
        self._changed = asyncio.Event()

    def notify(self) -> None:
        """Wake all waiting long polls."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait_for_other(self, etag: str, seconds: float) -> str:
        """Return the current ETag once it differs from this one, or time is up."""
        try:
            async with asyncio.timeout(min(seconds, LONGEST_WAIT_SECONDS)):
                while self.etag == etag:
                    await self._changed.wait()
        except TimeoutError:
            pass
        return self.etag

    @property
    def etag(self) -> str:
        """A weak ETag of everything but counters."""
        digest = hashlib.sha256(msgspec.json.encode(self._steady())).hexdigest()
        return f'W/"{digest[:32]}"'

    def render(self) -> dict[str, Any]:
        """Return the body of `/status`."""
        steady = self._steady()
        return {
            "version": steady["version"],
            "serving": steady["serving"],
            "draining": steady["draining"],
            "sessions": self._state.streams,
            "inFlight": self._state.calls,
            "auth": steady["auth"],
            "backends": steady["backends"],
            **self._render_live(),
        }

    def render_backends(self) -> list[dict[str, Any]]:
        """Return the backends alone; no endpoint, no credential."""
        return [describe_backend(monitor) for monitor in self._monitors]

    def _steady(self) -> dict[str, Any]:
        return {
            "version": self._version,
            "serving": self._state.serving and not self._state.draining,
            "draining": self._state.draining,
            "auth": describe_auth(self._report_auth()),
            "backends": self.render_backends(),
            **self._render_live(),
        }


def describe_auth(report: AuthReport) -> dict[str, Any]:
    """Return the state of authentication as `/status` shows it."""
    return {
        "ready": report.problem is None,
        "reason": report.problem.value if report.problem else "",
        "message": report.message,
    }


def describe_backend(monitor: BackendMonitor) -> dict[str, Any]:
    """Return one backend as `/status` shows it."""
    health = monitor.observation.health
    return {
        "name": monitor.backend.name,
        "type": monitor.backend.kind,
        "state": health.state.value,
        "reason": health.reason.value if health.reason else "",
        "message": health.message,
        "since": format_time(monitor.observation.since),
    }


def format_time(moment: datetime) -> str:
    """Return a time as Kubernetes writes it: UTC, whole seconds, Z."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_wait(prefer: str) -> float:
    """Return the seconds of `Prefer: wait=N` (RFC 7240), 0 without a valid one."""
    for preference in prefer.replace(";", ",").split(","):
        name, _, value = preference.strip().partition("=")
        if name.lower() == "wait" and value.strip('"').isdecimal():
            return float(value.strip('"'))
    return 0.0
