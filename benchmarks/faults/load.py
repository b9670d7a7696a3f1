"""Clients that keep calling, and what became of each.

A client calls, waits a little, and calls again; one call in ten takes five seconds in
the database. What it asks for is in its answer, so a wrong or exchanged answer shows.
A client that failed tries again as it is; after three failures, or one call without an
answer, the program around it begins a new session, as a person would.
"""

import asyncio
import random
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.faults.callers import Caller, LostError, OnRecovery
from benchmarks.faults.ledger import Call, Ledger, Outcome, Recovery, RecoveryKind

TOOL = "postgres_query"
SLOW_SECONDS = 5.0
SLOW_SHARE = 0.1
LIMIT_SECONDS = 30.0
"""A call without an answer for so long is lost."""

SHORT_SQL = "SELECT $1::text AS nonce, count(*) AS orders FROM orders"
SLOW_SQL = "SELECT $1::text AS nonce, slept FROM five_seconds"

PAUSE_SECONDS = (0.2, 0.6)
CHANCE = random.Random(6)  # noqa: S311 -- a load, not a secret
PATIENCE = 3
DETAIL_LENGTH = 300
NO_STREAM = ("Could not find session", "did not begin this call")
"""What a hub says to a message for a stream that has ended, or is about to."""


class WrongAnswerError(Exception):
    """An answer came that is not this call's."""


@dataclass(frozen=True, slots=True)
class Member:
    """One client of the load.

    Attributes:
        kind: The line of the table that it counts for.
        fresh: It opens a new connection for every call.
    """

    kind: str
    number: int
    fresh: bool
    make: Callable[[OnRecovery], Caller]


@dataclass(slots=True)
class Load:
    """All clients, from `run` until `stop`."""

    members: Sequence[Member]
    token: str
    ledger: Ledger = field(default_factory=Ledger)
    ready: set[int] = field(default_factory=set)
    renewals: int = 0
    renewed: set[int] = field(default_factory=set)
    running: dict[int, float] = field(default_factory=dict)
    _stopped: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Call until `stop`."""
        async with asyncio.TaskGroup() as group:
            for member in self.members:
                group.create_task(self._keep_calling(member))

    def stop(self) -> None:
        """Let every client finish its call and end."""
        self._stopped.set()

    def renew(self, token: str) -> None:
        """Have every client begin a new session with another token, between calls."""
        self.token = token
        self.renewed.clear()
        self.renewals += 1

    @property
    def is_renewed(self) -> bool:
        """Whether every client has had a right answer since."""
        return len(self.renewed) == len(self.members)

    @property
    def is_complete(self) -> bool:
        """Whether every client has had a right answer."""
        return len(self.ready) == len(self.members)

    def has_calls_since_before(self, moment: float) -> bool:
        """Whether a call still runs that began earlier."""
        return any(started < moment for started in self.running.values())

    def is_answered_since(self, moment: float) -> bool:
        """Whether every client has had a right answer to a call that began later."""
        answered = {
            call.member
            for call in self.ledger.calls
            if call.outcome is Outcome.RIGHT and call.started >= moment
        }
        return len(answered) == len(self.members)

    async def _keep_calling(self, member: Member) -> None:
        session = Session(self, member)
        try:
            while not self._stopped.is_set():
                await session.call_once()
                await asyncio.sleep(CHANCE.uniform(*PAUSE_SECONDS))
        finally:
            await session.close()


class Session:
    """One client's session, renewed where need be."""

    def __init__(self, load: Load, member: Member) -> None:
        self._load = load
        self._member = member
        self._caller: Caller | None = None
        self._failures = 0
        self._renewals = load.renewals

    async def call_once(self) -> None:
        """Make one call, and write down what became of it."""
        if self._renewals != self._load.renewals:
            self._renewals = self._load.renewals
            await self.close()
        nominal = SLOW_SECONDS if CHANCE.random() < SLOW_SHARE else 0.0
        member = self._member
        started = self._load.running[member.number] = time.monotonic()
        outcome, detail = Outcome.RIGHT, ""
        try:
            await self._ask(nominal)
        except LostError as error:
            outcome, detail = Outcome.LOST, describe(error)
        except Exception as error:  # noqa: BLE001 -- clients raise anything
            outcome, detail = Outcome.ERROR, describe(error)
        orphaned = outcome is Outcome.ERROR and await self._is_orphaned(detail)
        ended = time.monotonic()
        del self._load.running[member.number]
        self._load.ledger.calls.append(
            Call(
                kind=member.kind,
                member=member.number,
                started=started,
                ended=ended,
                waiting=ended - started - nominal,
                outcome=outcome,
                orphaned=orphaned,
                detail=detail,
            )
        )
        await self._go_on(outcome)

    async def _ask(self, nominal: float) -> None:
        nonce = secrets.token_hex(8)
        arguments = {"sql": SLOW_SQL if nominal else SHORT_SQL, "parameters": [nonce]}
        try:
            async with asyncio.timeout(LIMIT_SECONDS) as limit:
                caller = self._caller or await self._open()
                answer = await caller.call(TOOL, arguments, LIMIT_SECONDS)
        except TimeoutError as error:
            if limit.expired():
                raise LostError(f"no answer in {LIMIT_SECONDS:g} s") from error
            raise
        check_answer(answer, nonce)

    async def _open(self) -> Caller:
        caller = self._member.make(self._note)
        try:
            await caller.open(self._load.token)
        except BaseException:
            await caller.close()
            raise
        self._caller = caller
        return caller

    async def _go_on(self, outcome: Outcome) -> None:
        if outcome is Outcome.RIGHT:
            self._failures = 0
            self._load.ready.add(self._member.number)
            if self._renewals == self._load.renewals:
                self._load.renewed.add(self._member.number)
            if self._member.fresh:
                await self.close()
            return
        self._failures += 1
        given_up = outcome is Outcome.LOST or self._failures >= PATIENCE
        if given_up or self._member.fresh:
            await self.close()
            if not self._member.fresh:
                self._note(RecoveryKind.REOPENED)
            self._failures = 0

    async def close(self) -> None:
        """End the session, if there is one."""
        caller, self._caller = self._caller, None
        if caller is not None:
            await caller.close()

    async def _is_orphaned(self, detail: str) -> bool:
        if any(words in detail for words in NO_STREAM):
            return True
        return self._caller is not None and await self._caller.is_orphaned()

    def _note(self, how: RecoveryKind) -> None:
        recovery = Recovery(self._member.kind, time.monotonic(), how)
        self._load.ledger.recoveries.append(recovery)


def check_answer(answer: Any, nonce: str) -> None:
    """Refuse an answer that is not this call's."""
    if not isinstance(answer, dict) or answer.get("rows", [[""]])[0][0] != nonce:
        raise WrongAnswerError(f"asked for {nonce}, got {answer!r:.200}")


def describe(error: BaseException) -> str:
    """Return what a client said, groups of errors opened up."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"[:DETAIL_LENGTH]
