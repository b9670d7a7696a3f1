"""One pass over one hub: gather, check, decide, write what differs, tell.

Level-triggered: a pass looks at what is, never at what happened, and may run at any
time, any number of times. The status comes last and says what the pass came to.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import structlog

from mcphub_operator.cache.hubs import CachedHub
from mcphub_operator.checks import evaluate
from mcphub_operator.client.kinds import HUB
from mcphub_operator.desired import awaits_handover, build_desired, needs_upgrade
from mcphub_operator.diff import Apply, Stage, build_plan
from mcphub_operator.errors import Conflict, InvalidHub, NotFound
from mcphub_operator.observed import HubKey, Observed
from mcphub_operator.reconcile.events import EventRecorder
from mcphub_operator.reconcile.execute import AlreadyExists, Executor
from mcphub_operator.reconcile.gather import (
    Environment,
    HubGone,
    Sources,
    check_alive,
    gather,
    keep_looked_up,
    look_up,
)
from mcphub_operator.reconcile.upgrades import UpgradeGate
from mcphub_operator.resources.manifest import ChildId
from mcphub_operator.spec.hub import Hub, parse_hub
from mcphub_operator.status.compose import Status, build_invalid_status, build_status
from mcphub_operator.status.condition_model import ConditionType, Reason, find_condition
from mcphub_operator.status.findings import Finding, Findings

log = structlog.get_logger(__name__)

LOOK_AGAIN_SECONDS = 15.0
"""Foreign objects and taken ports send no event when they go."""
REFUSED_SECONDS = 300.0
"""What the API server calls invalid stays so until the hub changes, or a webhook."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a pass asks of the queue."""

    failed: bool = False
    again_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Reconciler:
    """Makes hubs' children and statuses right, one hub at a time."""

    sources: Sources
    environment: Environment
    executor: Executor
    upgrades: UpgradeGate
    events: EventRecorder

    async def reconcile(self, key: HubKey) -> Result:
        """Run one pass.

        Raises:
            ApiError: something could not be read, or the status not written.
            LeaseLost: this replica may not write any more.
        """
        entry = self.sources.hubs.find(key)
        if entry is None:
            self.forget(key)
            return Result()
        body = entry.read()
        if "deletionTimestamp" in body["metadata"]:
            return Result()
        try:
            hub = parse_hub(body)
        except InvalidHub as error:
            await self._tell_invalid(key, entry, str(error))
            return Result()
        try:
            return await self._pass(hub, entry)
        except HubGone:
            self.sources.hubs.forget(key, entry.uid)
            return Result(again_seconds=LOOK_AGAIN_SECONDS)
        except AlreadyExists:
            return Result(failed=True)  # taken since it was looked up

    def forget(self, key: HubKey) -> None:
        """Drop what is remembered about a hub that is gone."""
        self.sources.secrets.forget(key)
        self.upgrades.forget(key)

    async def _pass(self, hub: Hub, entry: CachedHub) -> Result:
        key = HubKey(hub.namespace, hub.name)
        observed = self._with_turn(
            await gather(self.sources, self.environment, hub, entry)
        )
        plan = _plan(observed)
        if _find_creations(plan):
            await check_alive(self.sources, hub)
            if _told_of_conflict(observed):
                observed = await self._look_closely(hub, entry)
                plan = _plan(observed)
        try:
            failures = await self.executor.execute(key, plan)
        except AlreadyExists:
            observed = await self._look_closely(hub, entry)
            plan = _plan(observed)
            failures = await self.executor.execute(key, plan)
        if plan:
            log.info("hub_written", hub=str(key), steps=_names(plan))
            written = await gather(self.sources, self.environment, hub, entry)
            observed = self._with_turn(keep_looked_up(observed, written))
        return await self._tell(observed, entry, failures)

    async def _look_closely(self, hub: Hub, entry: CachedHub) -> Observed:
        """Gather without believing the caches about what they do not have."""
        observed = await gather(self.sources, self.environment, hub, entry, ask=True)
        creations = _find_creations(_plan(self._with_turn(observed)))
        return self._with_turn(await look_up(self.sources, observed, creations))

    def _with_turn(self, observed: Observed) -> Observed:
        key = HubKey(observed.hub.namespace, observed.hub.name)
        if observed.hub.spec.paused or not needs_upgrade(observed):
            self.upgrades.settle(key)
            return observed
        return replace(observed, upgrade=self.upgrades.ask(key))

    async def _tell(
        self, observed: Observed, entry: CachedHub, failures: list[Finding]
    ) -> Result:
        waits = not observed.upgrade.granted
        outcome = Findings(
            findings=(*evaluate(observed), *failures),
            upgrade_waits=waits,
            upgrade_stopped_by=observed.upgrade.stuck_hub if waits else "",
        )
        key = HubKey(observed.hub.namespace, observed.hub.name)
        await self._write_status(key, entry, build_status(observed, outcome))
        transient = any(not finding.needs_help for finding in outcome.findings)
        again = _look_again_seconds(outcome)
        if awaits_handover(observed) and not failures:
            again = 0.0  # the second half of a change of hands
        self.upgrades.note(key)
        return Result(failed=transient, again_seconds=again)

    async def _tell_invalid(self, key: HubKey, entry: CachedHub, finding: str) -> None:
        previous: Mapping[str, Any] = entry.read().get("status") or {}
        status = build_invalid_status(
            previous, entry.generation, finding, self.environment.now()
        )
        await self._write_status(key, entry, status)

    async def _write_status(
        self, key: HubKey, entry: CachedHub, status: Status
    ) -> None:
        body = entry.read()
        before = body.get("status") or {}
        if status == before:
            return
        self.sources.hubs.expect(key, status)
        try:
            written = await self.executor.writer.replace_status(body, status)
        except NotFound:
            self.sources.hubs.forget(key, entry.uid)
            return
        except Conflict:
            found = await self.sources.api.get(HUB, key.namespace, key.name)
            self.sources.hubs.learn(found)
            raise
        self.sources.hubs.learn(written)
        if written.get("status") != status:
            log.warning("status_pruned", hub=str(key))
        await self.events.report(key, entry.uid, before, status)


def _look_again_seconds(outcome: Findings) -> float | None:
    reasons = {finding.reason for finding in outcome.blocking}
    if not reasons:
        return None
    refused = reasons == {Reason.INVALID_SPEC}
    longest = REFUSED_SECONDS if refused else LOOK_AGAIN_SECONDS
    return longest * random.uniform(0.8, 1.2)  # noqa: S311


def _plan(observed: Observed) -> tuple[Stage, ...]:
    if observed.hub.spec.paused:
        return ()
    return build_plan(observed, build_desired(observed))


def _find_creations(plan: tuple[Stage, ...]) -> list[ChildId]:
    return [
        step.child
        for stage in plan
        for step in stage
        if isinstance(step, Apply) and step.new
    ]


def _told_of_conflict(observed: Observed) -> bool:
    """Tell whether a name was taken before: looking is better than being refused."""
    conditions = observed.status.get("conditions") or ()
    stalled = find_condition(conditions, ConditionType.STALLED) or {}
    return stalled.get("reason") == Reason.CONFLICT


def _names(plan: tuple[Stage, ...]) -> list[str]:
    return [f"{type(s).__name__} {s.child}" for stage in plan for s in stage]
