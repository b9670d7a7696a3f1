"""What a write comes to, by the API server's answer."""

from collections.abc import Callable
from typing import Any

import pytest

from mcphub_operator.cache.children import ChildCache, build_cached
from mcphub_operator.client.kinds import BY_NAME
from mcphub_operator.desired import build_desired
from mcphub_operator.diff import Repair, build_plan
from mcphub_operator.errors import Conflict, build_api_error
from mcphub_operator.observed import Observed
from mcphub_operator.reconcile.budget import BURST, REFILL_SECONDS, WriteBudget
from mcphub_operator.reconcile.execute import Executor, Written, explain
from mcphub_operator.reconcile.refusals import RefusedWrites
from mcphub_operator.resources.manifest import ChildId
from mcphub_operator.status.condition_model import Reason
from tests.support.observed import KEY, hub, observe, settle

SERVICE = ChildId("Service", "team-data")


def with_a_label_too_many() -> Observed:
    """A hub at rest, but for a label that was added to a selector."""
    observed = settle(observe(hub()))
    item = observed.children[SERVICE].read()
    item["spec"]["selector"]["track"] = "canary"
    object.__setattr__(
        observed, "children", {**observed.children, SERVICE: build_cached(item)}
    )
    return observed


class Writer:
    """Answers a repair as it is told to."""

    def __init__(self, answer: dict[str, Any] | Exception) -> None:
        self._answer = answer

    async def repair(self, *_: object) -> dict[str, Any]:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def build_executor(
    observed: Observed, writer: Writer, clock: Callable[[], float] = lambda: 0.0
) -> Executor:
    children = ChildCache(lambda _: None)
    for child, live in observed.children.items():
        children.upsert(BY_NAME[child.kind], live.read())
    budget = WriteBudget(clock, lambda _: None)
    refused = RefusedWrites(clock)
    return Executor(writer, children, None, budget, refused)  # type: ignore[arg-type]


async def repair(observed: Observed, answer: dict[str, Any] | Exception) -> Written:
    executor = build_executor(observed, Writer(answer))
    plan = build_plan(observed, build_desired(observed))
    assert [type(step) for stage in plan for step in stage] == [Repair]
    return await executor.execute(KEY, plan)


def put_back(observed: Observed, version: str) -> dict[str, Any]:
    item = settle(observed).children[SERVICE].read()
    item["metadata"]["resourceVersion"] = version
    return item


class TestARepair:
    async def test_that_holds_is_no_finding(self):
        observed = with_a_label_too_many()

        assert (await repair(observed, put_back(observed, "6"))).findings == ()

    async def test_that_an_admission_policy_undoes_is_told(self):
        observed = with_a_label_too_many()

        written = await repair(observed, observed.children[SERVICE].read())

        (finding,) = written.findings
        assert finding.reason is Reason.FIELD_CONTESTED
        assert finding.message.startswith(
            "an admission policy or webhook changes Service team-data (spec.selector)"
        )

    async def test_of_what_changed_meanwhile_waits_for_the_next_pass(self):
        late = Conflict(409, "Conflict", "the object has been modified")

        assert (await repair(with_a_label_too_many(), late)).findings == ()


async def test_a_contest_is_told_without_a_break():
    """Although a write is left now and then: a status must not change each time."""
    observed, now = with_a_label_too_many(), 0.0
    late = Conflict(409, "Conflict", "the object has been modified")
    executor = build_executor(observed, Writer(late), lambda: now)
    plan = build_plan(observed, build_desired(observed))
    for _ in range(BURST + 1):
        told = await executor.execute(KEY, plan)
    written = 0

    for _ in range(20):
        now += REFILL_SECONDS / 2
        again = await executor.execute(KEY, plan)
        assert again.findings == told.findings != ()
        assert (await executor.execute(KEY, ())).findings == told.findings
        written += len(again.steps)

    assert written == 10


@pytest.mark.parametrize(
    "words",
    [
        "Forbidden: field is immutable when `immutable` is set",
        'Invalid value: "Opaque": field is immutable',
        'Invalid value: ["None"]: may not change once set',
    ],
)
def test_what_an_object_keeps_for_its_life_is_no_fault_of_the_spec(words: str):
    causes = [{"reason": "FieldValueForbidden", "field": "data", "message": words}]
    body = {"reason": "Invalid", "message": words, "details": {"causes": causes}}

    found = explain(SERVICE, build_api_error(422, body))

    assert found.reason is Reason.CONFLICT
    assert "Service team-data cannot become" in found.message
    assert "delete it" in found.message
