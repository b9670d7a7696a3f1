"""What the replicas say of themselves, by a long poll of each ready one.

A server answers a poll when its state changes, or after most of a minute: a backend
that goes down is known within a moment, and at rest hardly a request is made. A hub is
woken only when a report differs from the last.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp
import msgspec
import structlog

from mcphub_operator import names
from mcphub_operator.client.api import Api, Call
from mcphub_operator.client.concurrency import end_if_cancelled
from mcphub_operator.errors import ApiError
from mcphub_operator.observed import (
    AuthReport,
    BackendReport,
    HubKey,
    Pod,
    PodReport,
    ToolReport,
    TracingReport,
)

log = structlog.get_logger(__name__)

WAIT_SECONDS = 50
ANSWER_SECONDS = WAIT_SECONDS + 10.0
FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 5.0
SILENT_POLLS = 3
"""Failed polls in a row after which a replica counts as not answering."""
SHORTEST_ROUND_SECONDS = 0.2
MAX_ANSWER_BYTES = 262_144
UNCHANGED = 304
OK = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """A replica's answer to a poll."""

    status: int
    etag: str = ""
    body: bytes = b""


class StatusClient(Protocol):
    """A way to a pod's management port."""

    async def ask(self, hub: HubKey, pod: Pod, headers: Mapping[str, str]) -> Answer:
        """Ask a pod for its status; any failure is an `OSError` or `ApiError`."""


class StatusPoller:
    """The last report of every replica, and the polls that bring them."""

    def __init__(self, client: StatusClient, enqueue: Callable[[HubKey], None]) -> None:
        self._client = client
        self._enqueue = enqueue
        self._reports: dict[str, PodReport] = {}
        self._polls: dict[str, asyncio.Task[None]] = {}

    def find(self, uid: str) -> PodReport | None:
        """Return what a pod last said; None if it was not asked yet."""
        return self._reports.get(uid)

    def follow(
        self, group: asyncio.TaskGroup, pods: Iterable[tuple[HubKey, Pod]]
    ) -> None:
        """Poll exactly these pods from now on."""
        wanted = {
            pod.uid: (hub, pod)
            for hub, pod in pods
            if pod.ready and not pod.terminating and pod.address
        }
        for uid in [uid for uid in self._polls if uid not in wanted]:
            self._polls.pop(uid).cancel()
            self._reports.pop(uid, None)
        for uid, (hub, pod) in wanted.items():
            if uid not in self._polls:
                self._polls[uid] = group.create_task(self._poll(hub, pod))

    async def _poll(self, hub: HubKey, pod: Pod) -> None:
        etag, failures = "", 0
        clock = asyncio.get_running_loop().time
        while True:
            began = clock()
            try:
                answer = await self._ask(hub, pod, etag)
                if answer.status == OK:
                    self._learn(hub, pod, parse_report(answer.body))
                etag, failures = answer.etag or etag, 0
            except (ApiError, OSError, ValueError, aiohttp.ClientError) as error:
                failures += 1
                self._miss(hub, pod, failures, error)
                delay = FIRST_DELAY_SECONDS * 2.0**failures
                await asyncio.sleep(min(delay, LONGEST_DELAY_SECONDS))
            # A server that does not know how to wait must not be hammered.
            left = SHORTEST_ROUND_SECONDS - (clock() - began)
            await asyncio.sleep(max(0.0, left))

    async def _ask(self, hub: HubKey, pod: Pod, etag: str) -> Answer:
        waiting = {"If-None-Match": etag, "Prefer": f"wait={WAIT_SECONDS}"}
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._client.ask(hub, pod, waiting if etag else {})
        except asyncio.CancelledError as error:  # aiohttp's own would end the polls
            end_if_cancelled()
            raise OSError("the poll was cancelled by itself") from error

    def _learn(self, hub: HubKey, pod: Pod, report: PodReport) -> None:
        if self._reports.get(pod.uid) != report:
            self._reports[pod.uid] = report
            self._enqueue(hub)

    def _miss(self, hub: HubKey, pod: Pod, failures: int, error: Exception) -> None:
        log.debug("poll_failed", hub=str(hub), pod=pod.name, error=type(error).__name__)
        if failures >= SILENT_POLLS:
            self._learn(hub, pod, PodReport(answered=False))


def parse_report(body: bytes) -> PodReport:
    """Read a server's `/status`.

    Raises:
        ValueError: it is not what a hub server says.
    """
    found = msgspec.json.decode(body)
    if not isinstance(found, dict):
        raise ValueError("not an object")  # noqa: TRY004 - one kind of failure
    backends = _list(found, "backends")
    tools, prompts = _list(found, "tools"), _list(found, "prompts")
    live = found.get("configuration")
    live = live if isinstance(live, dict) else None
    return PodReport(
        answered=True,
        version=str(found.get("version") or ""),
        backends=tuple(_backend(b) for b in backends),
        auth=_auth(found.get("auth")),
        tools=tuple(ToolReport(**_words(t)) for t in tools),
        prompts=tuple(ToolReport(**_words(p)) for p in prompts),
        digest=None if live is None else str(live.get("digest") or ""),
        problem=str((live or {}).get("problem") or ""),
        warnings=tuple(str(text) for text in (live or {}).get("warnings") or ()),
        tracing=_tracing(found.get("tracing")),
    )


def _tracing(found: object) -> TracingReport | None:
    if not isinstance(found, dict):
        return None
    words = _words(found)
    return TracingReport(words["state"], words["reason"], words["message"])


def _list(found: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    return [each for each in found.get(name) or () if isinstance(each, dict)]


def _auth(found: object) -> AuthReport | None:
    if not isinstance(found, dict):
        return None
    return AuthReport(str(found.get("reason") or ""), str(found.get("message") or ""))


def _backend(found: Mapping[str, Any]) -> BackendReport:
    return BackendReport(**_words(found))


def _words(found: Mapping[str, Any]) -> dict[str, str]:
    names = ("name", "state", "reason", "message")
    return {name: str(found.get(name) or "") for name in names}


class DirectStatusClient:
    """From inside the cluster: straight to the pod."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def ask(self, hub: HubKey, pod: Pod, headers: Mapping[str, str]) -> Answer:  # noqa: ARG002 - the protocol's
        """Ask a pod by its address."""
        host = f"[{pod.address}]" if ":" in pod.address else pod.address
        url = f"http://{host}:{names.PORT_MANAGEMENT_NUMBER}{names.PATH_STATUS}"
        async with self._session.get(url, headers=headers) as answer:
            body = await answer.content.read(MAX_ANSWER_BYTES)
            if answer.status not in (OK, UNCHANGED):
                raise OSError(f"status {answer.status}")
            return Answer(answer.status, answer.headers.get("ETag", ""), body)


class ProxyStatusClient:
    """From outside, for development: through the API server, which cannot wait."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def ask(self, hub: HubKey, pod: Pod, headers: Mapping[str, str]) -> Answer:
        """Ask a pod through the API server's proxy."""
        port = names.PORT_MANAGEMENT_NUMBER
        path = f"/api/v1/namespaces/{hub.namespace}/pods/{pod.name}:{port}/proxy"
        call = Call("get", "Pod/proxy", "GET", path + names.PATH_STATUS)
        if headers:
            # The API server drops conditional headers; a pause stands in for waiting.
            await asyncio.sleep(1)
        found = await self._api.ask(call)
        return Answer(OK, "proxied", msgspec.json.encode(found))
