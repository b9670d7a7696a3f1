"""Leader election by a Lease, hardened.

The client library's elector dies of a refused connection, lets a frozen call overlap
with the next leader, and never gives the Lease back. Here every call ends within two
seconds, writes are fenced by the time of the last renewal (`seconds_left`), a leader
that cannot renew stops, and a leader that ends gives the Lease back at once.

All times are the local monotonic clock's: a Lease counts as expired when it has not
changed for its whole duration as seen from here, so clocks that jump or differ do not
matter.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from mcphub_operator.client.api import Api, Call, Object
from mcphub_operator.client.kinds import LEASE
from mcphub_operator.errors import ApiError, LeaseLost, NotFound

log = structlog.get_logger(__name__)

DURATION_SECONDS = 10
RENEW_DEADLINE_SECONDS = 8.0
PERIOD_SECONDS = 2.0
CALL_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class LeaseSpec:
    """Which Lease, and in whose name."""

    namespace: str
    name: str
    identity: str

    def __str__(self) -> str:
        """Return how the Lease is named in the log."""
        return f"{self.namespace}/{self.name}"


class LeaderElector:
    """Holds, or tries to get, the Lease."""

    def __init__(
        self,
        api: Api,
        lease_spec: LeaseSpec,
        clock: Callable[[], float],
        now: Callable[[], datetime],
    ) -> None:
        self._api = api
        self._spec = lease_spec
        self._clock = clock
        self._now = now
        self._renewed: float | None = None
        self._asked = False
        """Whether the Lease may be ours: the answer to a write can be lost."""
        self._held: Object | None = None
        """The Lease as our last write left it, as far as we know."""
        self._seen: tuple[str, float] = ("", clock())

    @property
    def is_leader(self) -> bool:
        """Tell whether this replica may write now."""
        return self.seconds_left() > 0

    def seconds_left(self) -> float:
        """Return for how long this replica may go on writing; the writers' fence."""
        if self._renewed is None:
            return 0.0
        return self._renewed + RENEW_DEADLINE_SECONDS - self._clock()

    async def acquire(self) -> None:
        """Wait until the Lease is ours."""
        while not await self._try():  # noqa: ASYNC110 - it asks over the network
            await asyncio.sleep(PERIOD_SECONDS * random.uniform(0.8, 1.2))  # noqa: S311

    async def hold(self) -> None:
        """Renew until cancelled.

        Raises:
            LeaseLost: it could not be renewed in time, or another replica holds it.
        """
        began = self._clock()
        while True:
            # A renewal that took long leaves less time until the next one.
            await asyncio.sleep(began + PERIOD_SECONDS - self._clock())
            began = self._clock()
            await self._try()
            if not self.is_leader:
                raise LeaseLost("the Lease could not be renewed in time")

    async def release(self) -> None:
        """Give the Lease back, so that another replica need not wait for its end."""
        if not self._asked:
            return
        self._asked, self._renewed = False, None
        try:
            lease = await self._get()
            if lease is not None and _holder(lease) == self._spec.identity:
                lease["spec"] |= {"holderIdentity": "", "leaseDurationSeconds": 1}
                await self._put(lease)
                log.info("lease_released", lease=str(self._spec))
        except ApiError as error:
            log.warning(
                "lease_not_released", lease=str(self._spec), error=error.message
            )

    async def _try(self) -> bool:
        """Take or renew the Lease if that is possible; the time counts from before.

        A holder writes over what it wrote last, without a look: another replica's
        write in between is refused as a conflict.
        """
        began, held, self._held = self._clock(), self._held, None
        try:
            lease = held or await self._get()
            if lease is not None and not self._may_take(lease):
                self._asked, self._renewed = False, None
                return False
            self._asked = True
            if lease is None:
                self._held = await self._create()
            else:
                self._held = await self._put(self._mine(lease))
        except ApiError as error:
            log.warning("lease_not_renewed", lease=str(self._spec), error=error.message)
            return False
        if self._renewed is None:
            identity = self._spec.identity
            log.info("lease_acquired", lease=str(self._spec), identity=identity)
        self._renewed = began
        return True

    def _may_take(self, lease: Object) -> bool:
        version, now = lease["metadata"]["resourceVersion"], self._clock()
        if version != self._seen[0]:
            self._seen = (version, now)
        holder = _holder(lease)
        if holder in ("", self._spec.identity):
            return True
        duration = lease["spec"].get("leaseDurationSeconds") or DURATION_SECONDS
        return now - self._seen[1] > float(duration)

    def _mine(self, lease: Object) -> Object:
        spec = dict(lease.get("spec") or {})
        if spec.get("holderIdentity") != self._spec.identity:
            spec["acquireTime"] = self._stamp()
            spec["leaseTransitions"] = int(spec.get("leaseTransitions") or 0) + 1
        spec |= {
            "holderIdentity": self._spec.identity,
            "leaseDurationSeconds": DURATION_SECONDS,
            "renewTime": self._stamp(),
        }
        return {**lease, "spec": spec}

    def _stamp(self) -> str:
        return self._now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    async def _get(self) -> Object | None:
        path = LEASE.path(self._spec.namespace, self._spec.name)
        try:
            return await self._api.ask(
                Call("get", LEASE.name, "GET", path), CALL_SECONDS
            )
        except NotFound:
            return None

    async def _create(self) -> Object:
        metadata = {"name": self._spec.name, "namespace": self._spec.namespace}
        head = {"apiVersion": LEASE.group_version, "kind": LEASE.name}
        body = self._mine({**head, "metadata": metadata})
        path = LEASE.path(self._spec.namespace)
        call = Call("create", LEASE.name, "POST", path, body=body)
        return await self._api.ask(call, CALL_SECONDS)

    async def _put(self, lease: Object) -> Object:
        path = LEASE.path(self._spec.namespace, self._spec.name)
        call = Call("update", LEASE.name, "PUT", path, body=lease)
        return await self._api.ask(call, CALL_SECONDS)


def _holder(lease: Object) -> str:
    return str((lease.get("spec") or {}).get("holderIdentity") or "")
