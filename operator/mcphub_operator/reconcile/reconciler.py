"""One pass over one hub: gather, check, decide, write what differs, report.

Level-triggered: a pass looks at what is, never at what happened, and may run at any
time, any number of times. The status comes last and says what the pass came to.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from mcphub_operator.checks import evaluate
from mcphub_operator.client.kinds import HUB
from mcphub_operator.desired import (
    awaits_handover,
    awaits_rotation,
    build_desired,
    needs_upgrade,
)
from mcphub_operator.diff import Apply, Repair, Stage, build_plan
from mcphub_operator.errors import Conflict, InvalidHub, NotFound
from mcphub_operator.observed import HubKey, Observed
from mcphub_operator.reconcile.claims import HubClaims, HubLeft
from mcphub_operator.reconcile.events import EventRecorder
from mcphub_operator.reconcile.execute import (
    AlreadyExists,
    Executor,
    NamespaceEnds,
    describe,
)
from mcphub_operator.reconcile.gather import (
    Environment,
    HubGone,
    Sources,
    check_alive,
    gather,
    keep_looked_up,
    look_up,
)
from mcphub_operator.reconcile.pod_refresh import PodRefresher
from mcphub_operator.reconcile.refusals import REFUSED
from mcphub_operator.reconcile.snapshot import HubSnapshot, take_snapshot
from mcphub_operator.reconcile.upgrades import UpgradeGate
from mcphub_operator.resources.manifest import ChildId
from mcphub_operator.spec.hub import Hub, parse_hub
from mcphub_operator.status.autoscaler import find_metrics_seconds
from mcphub_operator.status.causes import (
    find_address_seconds,
    find_cause,
    find_overdue_seconds,
    find_unready_seconds,
)
from mcphub_operator.status.certificate import find_certificate_seconds
from mcphub_operator.status.compose import (
    Status,
    build_invalid_status,
    build_status,
    find_progress,
)
from mcphub_operator.status.condition_model import ConditionType, Reason, find_condition
from mcphub_operator.status.controllers import find_silence_seconds
from mcphub_operator.status.findings import Finding, Findings
from mcphub_operator.status.unready_pods import find_end_seconds

log = structlog.get_logger(__name__)

CONTESTED_SECONDS = 5.0
"""The budget of a contested object has a write again after that."""
LOOK_AGAIN_SECONDS = 15.0
"""Foreign objects and taken ports send no event when they go."""
CERTIFICATE_SECONDS = 3600.0
"""How often a certificate is compared with the time, at least."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a pass asks of the queue."""

    failed: bool = False
    """Tried again by the backoff."""
    again_seconds: float | None = None
    """The latest time for another pass, whether this one failed or not."""
    retry_after_seconds: float = 0.0
    """The earliest time for another try of what failed: the API server asked for it."""


@dataclass(frozen=True, slots=True)
class Reconciler:
    """Makes hubs' children and statuses right, one hub at a time."""

    sources: Sources
    environment: Environment
    executor: Executor
    refresher: PodRefresher
    upgrades: UpgradeGate
    events: EventRecorder
    claims: HubClaims
    ending: dict[HubKey, str] = field(default_factory=dict)
    """Hubs, with their uids, whose namespaces are being deleted: nothing is written."""

    async def reconcile(self, key: HubKey) -> Result:
        """Run one pass.

        Raises:
            ApiError: something could not be read, or the status not written.
            LeaseLost: this replica may not write any more.
        """
        cached = self.sources.hubs.find(key)
        if cached is None:
            self.forget(key)
            return Result()
        snapshot = take_snapshot(key, cached)
        try:
            hub = parse_hub(snapshot.body)
        except InvalidHub as error:
            await self._report_invalid(snapshot, str(error))
            return Result()
        return await self._run(snapshot, hub)

    def forget(self, key: HubKey) -> None:
        """Drop what is remembered about a hub that is gone."""
        self.sources.secrets.forget(key)
        self.sources.pods.forget(key)
        self.executor.budget.forget(key)
        self.executor.refused.forget(key)
        self.upgrades.forget(key)
        self.claims.installations.forget(key)
        self.ending.pop(key, None)

    async def _run(self, snapshot: HubSnapshot, hub: Hub) -> Result:
        key = snapshot.key
        if self.ending.get(key) == hub.uid and not hub.is_being_deleted:
            return Result()
        try:
            observed, failures = await self._converge(snapshot, hub)
            if not _is_left_alone(hub):
                await self.refresher.refresh(observed)
            return await self._report(snapshot, observed, failures)
        except HubGone:
            self.sources.hubs.forget(key, snapshot.uid)
            return Result(again_seconds=LOOK_AGAIN_SECONDS)
        except AlreadyExists:
            return Result(failed=True)  # taken since it was looked up
        except HubLeft as left:
            self.upgrades.forget(key)
            return Result(again_seconds=left.claim.again_seconds)
        except NamespaceEnds:
            log.info("namespace_ends", hub=str(key))
            self.ending[key] = hub.uid
            return Result()

    async def _converge(
        self, snapshot: HubSnapshot, hub: Hub
    ) -> tuple[Observed, tuple[Finding, ...]]:
        """Observe, plan and write; return what is there then and what failed.

        The caches may lack an object that exists. If the last pass was stopped by one,
        or this one's writes are, everything is looked at again, closer. And what is to
        be repaired of a child whose manifest changed shows when that is applied.
        """
        self.executor.refused.start_pass(snapshot.key, snapshot.generation)
        closer = repaired = False
        while True:
            observed = await self._observe(snapshot, hub, closer=closer)
            await self.claims.check(snapshot, observed)
            plan = _plan(observed)
            if not closer and _find_creations(plan):
                await check_alive(self.sources, hub)
                closer = _had_conflict(observed)
                if closer:
                    continue
            try:
                written = await self.executor.execute(snapshot.key, plan)
            except AlreadyExists:
                if closer:
                    raise
                closer = True
                continue
            if written.steps:
                self.claims.installations.keep(snapshot.key)
                steps = [describe(step) for step in written.steps]
                log.info("hub_written", hub=str(snapshot.key), steps=steps)
            if plan:
                later = await self._gather(snapshot, hub)
                observed = self._with_turn(keep_looked_up(observed, later))
                repairs = not (written.findings or repaired) and _has_repairs(observed)
                if repairs:
                    repaired = True
                    continue
            return observed, written.findings

    async def _observe(
        self, snapshot: HubSnapshot, hub: Hub, *, closer: bool
    ) -> Observed:
        """Gather; a closer look asks the API server for what the caches lack."""
        observed = self._with_turn(await self._gather(snapshot, hub, ask=closer))
        if not closer:
            return observed
        creations = _find_creations(_plan(observed))
        return self._with_turn(await look_up(self.sources, observed, creations))

    async def _gather(
        self, snapshot: HubSnapshot, hub: Hub, *, ask: bool = False
    ) -> Observed:
        status = snapshot.status
        return await gather(self.sources, self.environment, hub, status, ask=ask)

    def _with_turn(self, observed: Observed) -> Observed:
        key = HubKey(observed.hub.namespace, observed.hub.name)
        if _is_left_alone(observed.hub) or not needs_upgrade(observed):
            self.upgrades.settle(key)
            return observed
        return replace(observed, upgrade=self.upgrades.ask(key))

    async def _report(
        self, snapshot: HubSnapshot, observed: Observed, failures: tuple[Finding, ...]
    ) -> Result:
        must_wait = not observed.upgrade.granted
        findings = Findings(
            items=(*evaluate(observed), *failures),
            upgrade_waits=must_wait,
            upgrade_stopped_by=observed.upgrade.stuck_hub if must_wait else "",
        )
        findings = _give_ports_time(findings, snapshot.status)
        status = build_status(observed, findings)
        if status != snapshot.status and not self._may_report(snapshot.key):
            return Result(again_seconds=CONTESTED_SECONDS)
        await self._write_status(snapshot, status)
        refused = self.executor.refused.find_seconds(snapshot.key)
        waits = (_look_again_seconds(findings, refused), _find_deadline(observed))
        again = min((wait for wait in waits if wait is not None), default=None)
        is_half_done = awaits_handover(observed) or awaits_rotation(observed)
        if is_half_done and not (failures or _is_left_alone(observed.hub)):
            again = 0.0  # no event reports the first half: it was our own write
        self.upgrades.note(snapshot.key)
        failed = bool(findings.transient) or _awaits_port(findings)
        return Result(failed=failed, again_seconds=again)

    def _may_report(self, key: HubKey) -> bool:
        return self.executor.budget.take(key, ChildId(HUB.name, key.name))

    async def _report_invalid(self, snapshot: HubSnapshot, problem: str) -> None:
        status = build_invalid_status(
            snapshot.status, snapshot.generation, problem, self.environment.now()
        )
        await self._write_status(snapshot, status)

    async def _write_status(self, snapshot: HubSnapshot, status: Status) -> None:
        key = snapshot.key
        if status == snapshot.status:
            return
        self.sources.hubs.expect(key, status)
        try:
            written = await self.executor.writer.replace_status(snapshot.body, status)
        except NotFound:
            self.sources.hubs.forget(key, snapshot.uid)
            return
        except Conflict:
            found = await self.sources.api.get(HUB, key.namespace, key.name)
            self.sources.hubs.learn(found)
            raise
        self.sources.hubs.learn(written)
        if written.get("status") != status:
            log.warning(
                "status_pruned",
                hub=str(key),
                problem="the McpHub definition (CRD) lacks fields of the status",
                action="apply the definition of this release",
            )
        await self.events.report(key, snapshot.uid, snapshot.status, status)


def _look_again_seconds(findings: Findings, refused: float | None) -> float | None:
    """Return when to look again at what sends no event.

    Args:
        findings: what is wrong.
        refused: in how many seconds the first refused write is due again.
    """
    reasons = {finding.reason for finding in findings.blocking}
    if not reasons - REFUSED:
        return refused
    contested = Reason.FIELD_CONTESTED in reasons
    longest = CONTESTED_SECONDS if contested else LOOK_AGAIN_SECONDS
    soonest = longest * random.uniform(0.8, 1.2)  # noqa: S311
    return soonest if refused is None else min(soonest, refused)


def _awaits_port(findings: Findings) -> bool:
    return {f.reason for f in findings.blocking} == {Reason.NODE_PORT_UNAVAILABLE}


def _give_ports_time(findings: Findings, before: Mapping[str, Any]) -> Findings:
    """Call a taken port a problem at the second try, half a second after the first.

    The port of a Service that was deleted stays allocated for a moment.
    """
    conditions = before.get("conditions") or ()
    tried = {(find_condition(conditions, kind) or {}).get("reason") for kind in _TOLD}
    if not _awaits_port(findings) or tried & {
        Reason.WRITE_FAILED,
        Reason.NODE_PORT_UNAVAILABLE,
    }:
        return findings
    items = tuple(replace(f, reason=Reason.WRITE_FAILED) for f in findings.items)
    return replace(findings, items=items)


_TOLD = (ConditionType.RECONCILING, ConditionType.STALLED)


def _plan(observed: Observed) -> tuple[Stage, ...]:
    if _is_left_alone(observed.hub):
        return ()
    return build_plan(observed, build_desired(observed))


def _has_repairs(observed: Observed) -> bool:
    plan = _plan(observed)
    return any(isinstance(step, Repair) for stage in plan for step in stage)


def _find_deadline(observed: Observed) -> float | None:
    """Return in how many seconds the status changes though nothing else does."""
    progress = find_progress(observed)
    is_awaited = progress.ready < 1 <= progress.desired
    waits = (
        find_overdue_seconds(observed)
        if is_awaited or find_cause(observed, progress)
        else 0.0,
        find_metrics_seconds(observed),
        find_address_seconds(observed),
        find_silence_seconds(observed, progress),
        find_unready_seconds(observed, progress),
        0.0 if progress.complete else find_end_seconds(observed),
        LOOK_AGAIN_SECONDS if observed.missing_sources else 0.0,
        min(find_certificate_seconds(observed), CERTIFICATE_SECONDS),
    )
    left = [seconds for seconds in waits if seconds > 0]
    return min(left) + 1 if left else None  # statuses have whole seconds


def _is_left_alone(hub: Hub) -> bool:
    """Tell whether only the status of a hub is written."""
    return hub.spec.paused or hub.is_being_deleted


def _find_creations(plan: tuple[Stage, ...]) -> list[ChildId]:
    return [
        step.child
        for stage in plan
        for step in stage
        if isinstance(step, Apply) and step.new
    ]


def _had_conflict(observed: Observed) -> bool:
    """Tell whether the last pass found a name taken; looking beats being refused."""
    conditions = observed.status.get("conditions") or ()
    stalled = find_condition(conditions, ConditionType.STALLED) or {}
    return stalled.get("reason") == Reason.CONFLICT
