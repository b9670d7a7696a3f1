"""kind's command line, the provider behind it, and what it says of bad input."""

import json

import pytest

from tools.cluster import create, provider
from tools.cluster.arguments import build_parser, parse_duration, parse_pairs
from tools.cluster.errors import BadInput, ClusterExists
from tools.cluster.kindconfig import DEFAULT
from tools.cluster.plan import build_plan
from tools.cluster.provider import Choice, Environment, decide
from tools.cluster.state import state_of


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("get clusters", id="pytest-kind lists"),
        pytest.param(
            "create cluster --name=x --kubeconfig=y --image=z --config w",
            id="pytest-kind creates",
        ),
        pytest.param("load docker-image --name x image:1", id="pytest-kind loads"),
        pytest.param(
            "delete cluster --name=x --kubeconfig=y", id="pytest-kind deletes"
        ),
        pytest.param("create cluster --name x --wait 5m --retain", id="people create"),
        pytest.param("delete clusters --all", id="people delete everything"),
        pytest.param("load image-archive a.tar b.tar --nodes n", id="archives"),
        pytest.param("export logs /tmp/logs -n x", id="logs"),
        pytest.param("get kubeconfig --name x --internal", id="kubeconfig"),
        pytest.param("version", id="version"),
    ],
)
def test_kinds_own_command_lines_are_understood(line):
    assert build_parser().parse_args(line.split())


def test_the_cluster_may_be_named_by_the_environment_as_with_kind(monkeypatch):
    monkeypatch.setenv("KIND_CLUSTER_NAME", "named")

    assert build_parser().parse_args(["get", "nodes"]).name == "named"


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("30s", 30), ("1m30s", 90), ("1.5h", 5400)]
)
def test_durations_are_gos(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "s", "1 m", "-3s"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(BadInput, match="not a duration"):
        parse_duration(text)


def test_a_build_argument_needs_a_value():
    with pytest.raises(BadInput, match="KEY=VALUE"):
        parse_pairs(["VERSION"])


def around(*, docker="/bin/docker", kind="/bin/kind", socket="7:8"):
    return Environment(kind, docker, "", socket)


@pytest.mark.parametrize(
    ("surroundings", "answers", "privileged", "chosen", "because"),
    [
        pytest.param(around(docker=""), False, False, "own", "no docker", id="bare"),
        pytest.param(around(), False, False, "own", "not answer", id="dead daemon"),
        pytest.param(around(kind=""), True, True, "own", "no kind", id="no kind"),
        pytest.param(around(), True, False, "own", "refuses", id="not privileged"),
        pytest.param(around(), True, True, "kind", "answers", id="all is there"),
    ],
)
def test_the_real_kind_is_used_only_where_it_works(
    surroundings, answers, privileged, chosen, because
):
    choice = decide(surroundings, answers=answers, runs_privileged=privileged)

    assert choice.provider == chosen
    assert because in choice.reason


def test_the_choice_is_remembered_until_docker_comes_or_goes(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    tried = []
    seen = around()
    monkeypatch.setattr(provider, "find_environment", lambda _: seen)
    monkeypatch.setattr(
        provider, "_try", lambda it: tried.append(it) or Choice("own", "tried")
    )

    provider.choose()
    provider.choose()
    seen = around(socket="")
    provider.choose()

    assert tried == [around(), around(socket="")]


def test_a_corrupt_cache_of_the_choice_is_replaced(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(provider, "_try", lambda _: Choice("own", "tried"))
    path = tmp_path / "mcphub" / "provider.json"
    path.parent.mkdir()
    path.write_text("{")

    choice = provider.choose()

    assert choice.reason == "tried"
    assert json.loads(path.read_text())["provider"] == "own"


@pytest.fixture
def state_home(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


@pytest.mark.usefixtures("state_home")
def test_a_name_in_use_is_refused_in_kinds_words():
    state = state_of("demo")
    state.write_plan(build_plan("demo", DEFAULT, 0))
    state.mark_complete()

    with pytest.raises(ClusterExists, match="already exist for a cluster"):
        create.check_absent("demo")


@pytest.mark.usefixtures("state_home")
def test_a_half_made_cluster_is_called_so():
    state_of("demo").write_plan(build_plan("demo", DEFAULT, 0))

    with pytest.raises(ClusterExists, match=r"half made.*kind delete cluster"):
        create.check_absent("demo")
