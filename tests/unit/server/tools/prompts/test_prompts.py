"""Prompts: read alone, filled once, and there for those who may use their backend."""

from typing import Any

import pytest
import yaml

from mcphub_server.config.live import parse_live
from mcphub_server.errors import BadArgument
from mcphub_server.tools.prompts.catalog import PromptCatalog, judge_prompts
from mcphub_server.tools.prompts.prompt import LONGEST_VALUE, DeclaredPrompt

WEEKLY = {
    "name": "weekly",
    "title": "Weekly report",
    "description": "A report about a week.",
    "backend": "db",
    "arguments": [
        {"name": "week", "description": "Which week.", "required": True},
        {"name": "tone"},
    ],
    "text": "Report on week {{week}}, {{tone}}. {{week}}!",
}


def prompt(**changes: Any) -> dict[str, Any]:
    return {"name": "plain", "description": "d", "text": "Hello.", **changes}


def read(*entries: Any) -> Any:
    return parse_live(yaml.safe_dump({"prompts": [*entries]}))


def build(**changes: Any) -> DeclaredPrompt:
    (config,) = read({**WEEKLY, **changes}).prompts
    return DeclaredPrompt.build(config)


def test_placeholders_become_values() -> None:
    assert build().fill({"week": "7", "tone": "short"}) == "Report on week 7, short. 7!"


def test_an_optional_argument_may_be_left_out() -> None:
    assert build().fill({"week": "7"}) == "Report on week 7, . 7!"


def test_a_value_that_looks_like_a_placeholder_stays_as_it_is() -> None:
    assert (
        build().fill({"week": "{{tone}}", "tone": "x"})
        == "Report on week {{tone}}, x. {{tone}}!"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param({}, "weekly needs the argument week", id="a missing one"),
        pytest.param({"week": ""}, "needs the argument week", id="an empty one"),
        pytest.param(
            {"week": "7", "year": "1"},
            "weekly has no argument year. There are: week, tone.",
            id="an unknown one",
        ),
        pytest.param(
            {"week": "x" * (LONGEST_VALUE + 1)}, "at most 8,192", id="a long one"
        ),
    ],
)
def test_arguments_that_do_not_fit_are_told_in_a_sentence(
    arguments: dict[str, str], said: str
) -> None:
    with pytest.raises(BadArgument, match=said):
        build().fill(arguments)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        pytest.param(prompt(text="{{a}}"), "is no argument", id="a placeholder alone"),
        pytest.param(
            prompt(arguments=[{"name": "a"}]), "does not use", id="an argument alone"
        ),
        pytest.param(
            prompt(text="{{a}} {{", arguments=[{"name": "a"}]), "{{", id="no end"
        ),
        pytest.param(
            prompt(text="{{a}}", arguments=[{"name": "a"}, {"name": "a"}]),
            "declared twice",
            id="two arguments of one name",
        ),
        pytest.param(prompt(text=""), "text", id="no text"),
        pytest.param(prompt(name="A b"), "name", id="no name"),
        pytest.param("nothing", "prompt", id="no object"),
    ],
)
def test_a_bad_prompt_takes_no_other_with_it(entry: Any, said: str) -> None:
    config = read(entry, prompt(name="good"))

    assert [each.name for each in config.prompts] == ["good"]
    assert said in config.bad_prompts[0].problem


def test_of_two_prompts_of_one_name_the_first_holds() -> None:
    config = read(prompt(text="first"), prompt(text="second"))

    assert [each.text for each in config.prompts] == ["first"]
    assert "used by another prompt" in config.bad_prompts[0].problem


def test_a_prompt_is_there_for_those_who_may_use_its_backend() -> None:
    callable_: dict[str, list[str]] = {"db": []}
    catalog = PromptCatalog(lambda backend: callable_.get(backend, []))
    catalog.replace(judge_prompts(read(WEEKLY, prompt()), ["db"], []))

    hidden = [each.name for each in catalog.list_prompts()]
    absent = (catalog.find("weekly"), catalog.find_backend("weekly"))
    closed = [catalog.find_closed_backend(name) for name in ("weekly", "plain", "no")]
    callable_["db"] = ["db_query"]
    shown = [each.name for each in catalog.list_prompts()]

    assert hidden == ["plain"]
    assert absent == (None, "")
    assert closed == ["db", "", ""]
    assert shown == ["weekly", "plain"]
    assert catalog.find_backend("weekly") == "db"
    assert catalog.find_closed_backend("weekly") == ""


def test_the_status_says_which_are_invalid_and_why() -> None:
    catalog = PromptCatalog(lambda _: ["a"])
    config = read(WEEKLY, prompt(backend="gone"), prompt(name="off", backend="off"), 3)
    catalog.replace(judge_prompts(config, ["db"], ["off"]))

    states = {
        each["name"]: (each["state"], each["message"]) for each in catalog.render()
    }
    assert states["weekly"] == ("Ready", "")
    assert states["plain"] == ("Invalid", "There is no backend gone.")
    assert states["[3]"][0] == "Invalid"
    assert "off" not in states
