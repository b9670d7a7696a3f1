"""Requests that the API server refuses, does not answer, or whose answer is lost."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.support.api_proxy.asked import Asked
from tests.support.api_proxy.faults import (
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
from tests.support.api_proxy.watching import Event, delaying, pass_on
from tests.support.fault_matrix.strikes import by_rule
from tests.support.fault_matrix.telling import Fault, Stage

pytestmark = pytest.mark.timeout(1800)

STATUSES = (403, 409, 410, 429, 500, 503)
VERBS = ("get", "list", "watch", "apply", "patch", "create", "delete")
STRUCK = 6


def anything(asked: Asked) -> bool:
    return bool(asked.resource)


def refused(status: int, verb: str) -> Fault:
    def build():
        return first(STRUCK, is_verb(verb), build_answer(status))

    return by_rule(f"{status} on {verb}", build)


ALL_IN_TURN = by_rule(
    "every status on every verb in turn", lambda: in_turn(STATUSES, 6, anything)
)
LOST_ANSWERS = by_rule(
    "every third answer to a write lost", lambda: every(3, is_write, Lost())
)


def is_status(asked: Asked) -> bool:
    return asked.resource == "mcphubs/status"


def is_of_a_hub(asked: Asked, _event: Event) -> bool:
    return asked.resource == "mcphubs"


@asynccontextmanager
async def in_the_dark(stage: Stage) -> AsyncIterator[None]:
    """Status writes are done, and the operator does not hear of it for seconds."""
    stage.proxy.edit = delaying(2.5, is_of_a_hub)
    stage.proxy.cut_streams()
    stage.proxy.rule = every(2, is_status, Lost())
    yield
    stage.proxy.rule, stage.proxy.edit = never, pass_on
    stage.proxy.cut_streams()


DARK = Fault("answers to status writes lost, and events late", in_the_dark)
LATE_ANSWERS = by_rule(
    "answers to writes come after their events", lambda: every(1, is_write, Late(0.4))
)
SHORT = (by_rule("none", lambda: never), ALL_IN_TURN, LOST_ANSWERS, LATE_ANSWERS, DARK)
LONG = (
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
