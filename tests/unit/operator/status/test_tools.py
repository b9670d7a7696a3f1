"""What a status says of declared tools, as the replicas report them."""

from dataclasses import replace

import pytest

from mcphub_operator.observed import PodReport, ToolReport
from mcphub_operator.resources.config_map import build_live_digest
from tests.support.observed import POSTGRES, hub, observe
from tests.support.statuses import condition, pods, rolled, status_of

TOOL = {
    "name": "made",
    "description": "For tests.",
    "backend": POSTGRES["name"],
    "statement": "SELECT 1",
}
HUB = hub(replicas=2, backends=[POSTGRES], tools=[TOOL, {**TOOL, "name": "other"}])
CURRENT = build_live_digest(HUB)


def says(made: str, digest: str | None = CURRENT, **more) -> PodReport:
    tools = (
        ToolReport("made", made, "DatabaseRefused", "no such table"),
        ToolReport("other", "Ready"),
    )
    return PodReport(answered=True, tools=tools, digest=digest, **more)


def find_message(status, kind: str) -> str:
    (found,) = [each for each in status["conditions"] if each["type"] == kind]
    return found["message"]


CASES = [
    pytest.param([says("Ready")], "2/2", "True", "AllReady", id="all ready"),
    pytest.param(
        [says("Ready"), says("Invalid")], "1/2", "False", "SomeInvalid", id="the worst"
    ),
    pytest.param([says("Unchecked")], "1/2", "Unknown", "NotChecked", id="unchecked"),
    pytest.param(
        [says("Ready", None)], "0/2", "Unknown", "NotReported", id="an earlier server"
    ),
    pytest.param(
        [says("Ready", problem="live.yaml: this is not YAML.")],
        "2/2",
        "False",
        "ConfigurationRejected",
        id="a rejected configuration",
    ),
]


@pytest.mark.parametrize(("reports", "summary", "status", "reason"), CASES)
def test_tools_are_as_the_replicas_say(reports, summary, status, reason):
    made = status_of(
        replace(
            rolled(observe(HUB), ready=len(reports), total=len(reports)),
            **pods(*reports),
        )
    )

    found = condition(made, "ToolsValid")
    assert made["summary"]["tools"] == summary
    assert found == (status, reason)


def test_only_tools_that_are_not_ready_are_listed():
    observed = rolled(observe(HUB), ready=1, total=1)
    made = status_of(replace(observed, **pods(says("Invalid"))))

    assert made["tools"] == [
        {
            "name": "made",
            "state": "Invalid",
            "reason": "DatabaseRefused",
            "message": "no such table",
        }
    ]
    assert find_message(made, "ToolsValid") == "made: no such table"


def test_reconciling_lasts_until_every_replica_runs_the_current_tools():
    observed = rolled(observe(HUB), ready=2, total=2)
    behind = replace(observed, **pods(says("Ready"), says("Ready", "earlier")))
    done = replace(observed, **pods(says("Ready"), says("Ready")))

    assert condition(status_of(behind), "Reconciling") == ("True", "Progressing")
    assert "1 of 2 replicas" in find_message(status_of(behind), "Reconciling")
    assert condition(status_of(done), "Reconciling")[0] == "False"


def test_an_invalid_prompt_is_named_and_the_tools_stay_ready():
    prompt = {"name": "weekly", "description": "d", "text": "t"}
    hub_ = hub(replicas=1, backends=[POSTGRES], tools=[TOOL], prompts=[prompt])
    report = PodReport(
        answered=True,
        tools=(ToolReport("made", "Ready"),),
        prompts=(ToolReport("weekly", "Invalid", "Unusable", "It has no text."),),
        digest=build_live_digest(hub_),
    )
    made = status_of(
        replace(rolled(observe(hub_), ready=1, total=1), **pods(report)),
    )

    assert condition(made, "ToolsValid") == ("False", "SomeInvalid")
    assert find_message(made, "ToolsValid") == "prompt weekly: It has no text."
    assert made["prompts"] == [
        {
            "name": "weekly",
            "state": "Invalid",
            "reason": "Unusable",
            "message": "It has no text.",
        }
    ]
    assert made["summary"]["tools"] == "1/1"


def test_a_hub_without_prompts_says_nothing_of_them():
    made = status_of(
        replace(rolled(observe(HUB), ready=1, total=1), **pods(says("Ready")))
    )

    assert "prompts" not in made
