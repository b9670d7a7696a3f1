"""Requests that the API server refuses, does not answer, or whose answer is lost."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.support.api_proxy.edits import Event, delaying, pass_on
from tests.support.api_proxy.request_info import RequestInfo
from tests.support.api_proxy.rules import (
    Late,
    Lost,
    Silence,
    build_answer,
    every,
    first,
    in_turn,
    is_verb,
    is_write,
    never,
)
from tests.support.fault_matrix.faults import by_rule
from tests.support.fault_matrix.runner import Fault, Sandbox

pytestmark = pytest.mark.timeout(1800)

STATUSES = (403, 409, 410, 429, 500, 503)
VERBS = ("get", "list", "watch", "apply", "patch", "create", "delete")
INJECTED = 6


def anything(info: RequestInfo) -> bool:
    return bool(info.resource)


def refused(status: int, verb: str) -> Fault:
    def build():
        return first(INJECTED, is_verb(verb), build_answer(status))

    return by_rule(f"{status} on {verb}", build)


ALL_IN_TURN = by_rule(
    "every status on every verb in turn", lambda: in_turn(STATUSES, 6, anything)
)
LOST_ANSWERS = by_rule(
    "every third answer to a write lost", lambda: every(3, is_write, Lost())
)


def is_status(info: RequestInfo) -> bool:
    return info.resource == "mcphubs/status"


def is_of_a_hub(info: RequestInfo, _event: Event) -> bool:
    return info.resource == "mcphubs"


@asynccontextmanager
async def in_the_dark(sandbox: Sandbox) -> AsyncIterator[None]:
    """Status writes are done, and the operator does not hear of it for seconds."""
    sandbox.proxy.edit = delaying(2.5, is_of_a_hub)
    sandbox.proxy.cut_streams()
    sandbox.proxy.rule = every(2, is_status, Lost())
    yield
    sandbox.proxy.rule, sandbox.proxy.edit = never, pass_on
    sandbox.proxy.cut_streams()


DARK = Fault("answers to status writes lost, and events late", in_the_dark)
LATE_ANSWERS = by_rule(
    "answers to writes come after their events", lambda: every(1, is_write, Late(0.4))
)
SHORT = (ALL_IN_TURN, LOST_ANSWERS, LATE_ANSWERS, DARK)
LONG = (
    by_rule("none", lambda: never),
    *(refused(status, verb) for verb in VERBS for status in STATUSES),
    by_rule("no answer to four writes", lambda: first(4, is_write, Silence())),
    by_rule("no answer to four gets", lambda: first(4, is_verb("get"), Silence())),
    by_rule("every answer to a get lost", lambda: first(40, is_verb("get"), Lost())),
)


FAULTS = [*SHORT, *(pytest.param(f, marks=pytest.mark.full_matrix) for f in LONG)]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_end_is_as_if_nothing_had_happened(
    ends: dict[str, list[str]], fault: Fault
):
    assert ends[fault.name] == []
