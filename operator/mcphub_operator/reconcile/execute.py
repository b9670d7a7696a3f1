"""Carrying out a plan: stage by stage, the steps of a stage together.

A step that fails is a finding of its own and does not keep the others from being done,
except that pods are not rolled onto a configuration that could not be written. What
the API server answers goes into the caches at once, so that the next pass does not see
the cluster as it was before this one.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from mcphub_operator import names
from mcphub_operator.cache.children import ChildCache
from mcphub_operator.client.api import Object
from mcphub_operator.client.concurrency import run_together
from mcphub_operator.client.kinds import BY_NAME
from mcphub_operator.client.writer import Writer
from mcphub_operator.diff import (
    Apply,
    Delete,
    Handover,
    Repair,
    Scale,
    Stage,
    Step,
    find_contested,
)
from mcphub_operator.errors import (
    ApiError,
    Conflict,
    NotFound,
    Refused,
    is_namespace_ending,
)
from mcphub_operator.observed import HubKey
from mcphub_operator.reconcile.budget import Contest, WriteBudget
from mcphub_operator.reconcile.refusals import RefusedWrites
from mcphub_operator.reconcile.secrets import SecretReader
from mcphub_operator.repairs import find_repairs
from mcphub_operator.resources.children import PREREQUISITES
from mcphub_operator.resources.manifest import ChildId
from mcphub_operator.status.condition_model import Reason
from mcphub_operator.status.findings import Finding

log = structlog.get_logger(__name__)

FORBIDDEN = 403
ADMISSION = ("denied request", "denied the request")
"""What policies and webhooks say, with whatever status they choose."""
INVALID_STATUSES = (400, 422)
FIXED = ("field is immutable", "may not change once set")
"""What the API server says to a change of what an object keeps for its life."""
UNKNOWN_FIELD = "failed to create typed patch object"
"""What the API server says, with status 500, to a field that a kind does not have."""

BINDS_MORE_THAN_IT_MAY = "attempting to grant RBAC permissions not currently held"
"""What the API server says before it lists every right of the role."""

ALREADY_EXISTS = Finding(Reason.WRITE_FAILED, "something of that name is there")
NAMESPACE_ENDS = Finding(Reason.DELETING, "the namespace is being deleted")
HELD_BACK = Finding(Reason.FIELD_CONTESTED, "not written: another party changes it")
"""Stands for a write that the budget did not allow; which contest it is, it knows."""


class AlreadyExists(Exception):
    """The child already exists but is missing from the cache."""


class NamespaceEnds(Exception):
    """The hub's namespace is being deleted, and with it the hub."""


@dataclass(frozen=True, slots=True)
class Written:
    """What carrying out a plan came to."""

    steps: tuple[Step, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Executor:
    """Writes what a plan says."""

    writer: Writer
    children: ChildCache
    secrets: SecretReader
    budget: WriteBudget
    refused: RefusedWrites

    async def execute(self, key: HubKey, plan: Sequence[Stage]) -> Written:
        """Carry out a plan and return what was written and what went wrong.

        Raises:
            AlreadyExists: a new child exists already: the plan was made from a stale
                view, and ended with that stage.
            NamespaceEnds: nothing can be created any more.
            LeaseLost: this replica may not write any more.
        """
        written: list[Step] = []
        findings: list[Finding] = []
        blocked = False
        for stage in plan:
            steps = [s for s in stage if not (blocked and s.child.kind == "Deployment")]
            outcomes = await run_together(self._try(key, step) for step in steps)
            if any(outcome is ALREADY_EXISTS for outcome in outcomes):
                raise AlreadyExists
            if any(outcome is NAMESPACE_ENDS for outcome in outcomes):
                raise NamespaceEnds
            for step, finding in zip(steps, outcomes, strict=True):
                if finding is None:
                    written.append(step)
                else:
                    findings.append(finding)
                    blocked = blocked or _blocks_pods(step)
        told = (f for f in findings if f is not HELD_BACK)
        contests = self.budget.find_contests(key).items()
        contested = (build_contest(child, contest) for child, contest in contests)
        return Written(tuple(written), (*told, *contested))

    async def _try(self, key: HubKey, step: Step) -> Finding | None:
        write = step.child, type(step)
        if refused := self.refused.find(key, write):
            return refused
        if not self.budget.take(key, step.child):
            self._note_contest(key, step)
            return HELD_BACK
        finding = await self._write(key, step)
        self.refused.note(key, write, finding)
        return finding

    async def _write(self, key: HubKey, step: Step) -> Finding | None:
        try:
            answer = await self._do(key, step)
        except ApiError as error:
            if isinstance(error, Conflict) and isinstance(step, Repair):
                return None  # it changed since; the event about it brings a pass
            self.budget.give_back(key, step.child)
            if isinstance(error, Conflict) and isinstance(step, Apply) and step.new:
                return ALREADY_EXISTS
            if is_namespace_ending(error):
                return NAMESPACE_ENDS
            log.warning("write_failed", step=describe(step), error=error.message)
            return explain(step.child, error)
        found = find_undone(step, answer)
        return build_undoing(step.child, found) if found else None

    def _note_contest(self, key: HubKey, step: Step) -> None:
        live = self.children.of(key).get(step.child)
        found = find_undone(step, live.read()) if live is not None else ""
        rivals = ", ".join(live.rivals) if live is not None else ""
        self.budget.note_contest(key, step.child, Contest(found, rivals))

    async def _do(self, key: HubKey, step: Step) -> Object:
        """Make a write and learn what the API server has now; return it."""
        child, namespace = step.child, key.namespace
        match step:
            case Apply(manifest, new):
                write = self.writer.apply_new if new else self.writer.apply
                answer = await write(manifest)
                if child.kind == "Secret":
                    self.secrets.learn(key, answer)
            case Handover(_, replicas, version):
                hold = self.writer.hold_replicas
                answer = await hold(namespace, child, replicas, version)
            case Scale(_, replicas):
                answer = await self.writer.scale(namespace, child, replicas)
            case Repair(_, version, operations):
                repair = self.writer.repair
                answer = await repair(namespace, child, version, operations)
            case Delete(_, uid):
                await self._delete(key, child, uid)
                return {}
        settled = isinstance(step, Apply)
        self.children.learn(BY_NAME[child.kind], answer, settled=settled)
        return answer

    async def _delete(self, key: HubKey, child: ChildId, uid: str) -> None:
        with contextlib.suppress(NotFound):
            await self.writer.delete(key.namespace, child, uid)
        self.children.forget(key, child)


def describe(step: Step) -> str:
    """Return a step for the log."""
    return f"{type(step).__name__} {step.child}"


def _blocks_pods(step: Step) -> bool:
    return isinstance(step, Handover) or step.child.kind in PREREQUISITES


def find_undone(step: Step, live: Object) -> str:
    """Return a field that is not as a step leaves it: another party changed it."""
    match step:
        case Apply(manifest):
            return find_contested(manifest, live)
        case Repair(operations=operations, manifest=manifest):
            paths = {operation["path"] for operation in operations}
            left = (o["path"] for o in find_repairs(manifest, live))
            undone = next((path for path in left if path in paths), "")
            return undone.strip("/").replace("/", ".").replace("~1", "/")
        case _:
            return ""


def build_undoing(child: ChildId, field: str) -> Finding:
    """Return the finding that a write is changed before the API server stores it."""
    return Finding(
        Reason.FIELD_CONTESTED,
        f"an admission policy or webhook changes {child} ({field}) whenever the"
        " operator writes it",
    )


def build_contest(child: ChildId, contest: Contest) -> Finding:
    """Return the finding that another party keeps changing a child."""
    which = f" ({contest.field})" if contest.field else ""
    # A second operator and an admission policy write by this operator's name.
    rivals = contest.rivals or "another party, such as a second operator,"
    return Finding(
        Reason.FIELD_CONTESTED,
        f"{rivals} keeps changing {child}{which};"
        " `kubectl get -o yaml --show-managed-fields` shows who owns which field",
    )


def explain(child: ChildId, error: ApiError) -> Finding:
    """Return what a refused write means for the hub."""
    ports = [c for c in error.causes if "nodePort" in c.field]
    if child.kind == "Service" and ports:
        message = f"{child}: {ports[0].message}; choose another spec.service.nodePort"
        return Finding(Reason.NODE_PORT_UNAVAILABLE, message)
    if BINDS_MORE_THAN_IT_MAY in error.message:
        return Finding(
            Reason.WRITE_DENIED,
            f"{child}: the operator may not bind the ClusterRole {names.OBSERVER_ROLE};"
            " grant it the verb bind on this role, as config/rbac does",
        )
    if is_denied(error):
        return Finding(Reason.WRITE_DENIED, f"{child}: {error.message}")
    fixed = [c for c in error.causes if any(word in c.message for word in FIXED)]
    if fixed:
        return Finding(
            Reason.CONFLICT,
            f"{child} cannot become what this hub needs: {fixed[0].message}; save what"
            " it holds, delete it, and the operator creates it again",
        )
    invalid = isinstance(error, Refused) and error.status in INVALID_STATUSES
    if invalid or UNKNOWN_FIELD in error.message:
        return Finding(Reason.INVALID_SPEC, f"{child}: {error.message}")
    return Finding(Reason.WRITE_FAILED, f"{child} was not written: {error.message}")


def is_denied(error: ApiError) -> bool:
    """Tell whether rights, a quota or an admission policy forbid a write."""
    return isinstance(error, Refused) and (
        error.status == FORBIDDEN or any(word in error.message for word in ADMISSION)
    )
