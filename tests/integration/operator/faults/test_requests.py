"""Requests that the API server refuses, does not answer, or whose answer is lost."""

import pytest

from support.api_proxy.asked import Asked
from support.api_proxy.faults import (
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
from support.fault_matrix.story import Story
from support.fault_matrix.strikes import by_rule
from support.fault_matrix.telling import Fault, Theater

pytestmark = pytest.mark.timeout(400)

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
    "every status on every verb in turn", lambda: in_turn(STATUSES, 3, anything)
)
LOST_ANSWERS = by_rule(
    "every third answer to a write lost", lambda: every(3, is_write, Lost())
)
SHORT = (by_rule("none", lambda: never), ALL_IN_TURN, LOST_ANSWERS)
LONG = (
    *(refused(status, verb) for verb in VERBS for status in STATUSES),
    by_rule("no answer to four writes", lambda: first(4, is_write, Silence())),
    by_rule("no answer to four gets", lambda: first(4, is_verb("get"), Silence())),
    by_rule("every answer to a get lost", lambda: first(40, is_verb("get"), Lost())),
)


@pytest.mark.parametrize("fault", SHORT, ids=lambda fault: fault.name)
async def test_the_end_is_as_if_nothing_had_happened(
    theater: Theater, story: Story, fault: Fault
):
    assert await theater.tell(story, fault) == []


@pytest.mark.full_matrix
@pytest.mark.parametrize("fault", LONG, ids=lambda fault: fault.name)
async def test_the_end_is_the_same_after(theater: Theater, story: Story, fault: Fault):
    assert await theater.tell(story, fault) == []
