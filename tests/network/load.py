"""Clients that call without end, and count what they see."""

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

CLIENTS = 8
CALL = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "postgres_query", "arguments": {"sql": "SELECT 1 AS one"}},
}
ACCEPT = {"Accept": "application/json, text/event-stream"}


@dataclass(frozen=True)
class Target:
    """A hub as clients reach it: a URL, and the address that its name has here."""

    url: str
    token: str
    tls: ssl.SSLContext
    host: str = ""
    """What clients call it, if the URL is not its name."""

    @property
    def headers(self) -> dict[str, str]:
        named = {"Host": self.host} if self.host else {}
        return ACCEPT | {"Authorization": f"Bearer {self.token}"} | named

    @property
    def extensions(self) -> Mapping[str, str]:
        return {"sni_hostname": self.host} if self.host else {}

    def open(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(headers=self.headers, verify=self.tls, timeout=120)


@dataclass
class Load:
    """The answers, by what they were."""

    target: Target
    keeps: bool
    answers: Counter[str] = field(default_factory=Counter)

    async def call(self, http: httpx.AsyncClient) -> None:
        url, extensions = self.target.url, dict(self.target.extensions)
        try:
            answer = await http.post(url, json=CALL, extensions=extensions)
            is_good = answer.status_code == 200 and "rows" in answer.text
            self.answers["good" if is_good else f"{answer.status_code}"] += 1
        except httpx.HTTPError as error:
            self.answers[type(error).__name__] += 1

    async def run(self) -> None:
        """Call on a new connection, and between on a kept one."""
        async with self.target.open() as kept:
            while True:
                if self.keeps:
                    await self.call(kept)
                async with self.target.open() as new:
                    await self.call(new)

    async def wait_for(self, number: int) -> None:
        """Wait until that many more calls were answered."""
        wanted = self.answers.total() + number
        while self.answers.total() < wanted:  # noqa: ASYNC110 -- a counter
            await asyncio.sleep(0.01)


@asynccontextmanager
async def calling(target: Target, *, keeps: bool = True) -> AsyncIterator[Load]:
    """Let clients call while the block lasts.

    Args:
        target: The hub that they call.
        keeps: Whether they keep connections. One that a proxy closes just as a request
            leaves is lost to any client.
    """
    load = Load(target, keeps)
    tasks = [asyncio.create_task(load.run()) for _ in range(CLIENTS)]
    try:
        yield load
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
