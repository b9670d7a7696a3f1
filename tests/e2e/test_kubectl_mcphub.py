"""Each command of `kubectl mcphub` on a real cluster, as a user types it.

The program is that of the environment; `make test-plugin` installs it with pipx from
the built wheel first. `--write-operations` draws the pictures in docs/cli.md.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.hub_manifests import backend, hub
from tests.support.installation import Installation
from tests.support.pipx import installed_plugin
from tests.support.terminal import draw_terminal, run_in_terminal
from tools.project import DOCS
from tools.quickstart.calls import call_tool

Done = subprocess.CompletedProcess[str]
Run = Callable[..., Done]

VARIABLE = "MCPHUB_PLUGIN"
NAMESPACE = "plugin"
GOOD, SICK = "team-data", "orders"
SQL = "sql=SELECT name, id FROM customers ORDER BY id LIMIT 2"
ESCAPE = "\x1b"
SECONDS = 200

FOLDER = DOCS / "pictures"
QUERY = "sql='SELECT name, country FROM customers LIMIT 3'"
PICTURES = {
    "cli-status": ["kubectl mcphub status", f"kubectl mcphub status {SICK}"],
    "cli-call": [
        f"kubectl mcphub tools {GOOD}",
        f"kubectl mcphub call {GOOD} shop_query {QUERY}",
        f"kubectl mcphub call {GOOD} shop_query sql='DROP TABLE customers'",
        f"kubectl mcphub logs {GOOD} --tool=shop_query --failed",
    ],
    "cli-doctor": [f"kubectl mcphub doctor {GOOD}", f"kubectl mcphub doctor {SICK}"],
}

RIGHTS = [
    {"apiGroups": ["mcp.bigtorig.com"], "resources": ["mcphubs"], "verbs": ["get"]},
    {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]},
    {"apiGroups": [""], "resources": ["pods/portforward"], "verbs": ["create"]},
    {"apiGroups": [""], "resources": ["services"], "verbs": ["get"]},
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]},
    {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
]
"""What docs/cli.md says that the commands need, of one hub."""


@pytest.fixture(scope="module")
def team(installation: Installation) -> Installation:
    """A namespace with a hub that is well, and one whose second database is away."""
    team = installation.open_namespace(NAMESPACE)
    away = backend(host="nowhere.invalid", name="archive")
    team.apply(
        hub(GOOD, replicas=2, backends=[backend(name="shop")]),
        hub(SICK, backends=[backend(name="shop"), away]),
    )
    for name in (GOOD, SICK):
        team.wait_settled(name)
    team.wait(f"mcphub/{GOOD}", "condition=BackendsReachable")
    team.wait_reason(SICK, "BackendsReachable", "SomeUnreachable")
    return team


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of the program that kubectl finds."""
    with ExitStack() as stack:
        if os.environ.get(VARIABLE) == "pipx":
            folder = tmp_path_factory.mktemp("pipx")
            yield stack.enter_context(installed_plugin(folder))
        else:
            yield Path(sys.executable).parent


@pytest.fixture(scope="module")
def environment(
    team: Installation, programs: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """The shell of a user who works in the namespace."""
    own = team.build_environment(tmp_path_factory.mktemp("shell"))
    others = {k: v for k, v in os.environ.items() if k != "MCPHUB_TOKEN"}
    return {**others, **own, "PATH": f"{programs}:{own['PATH']}", "TERM": "xterm"}


@pytest.fixture(scope="module")
def run(environment: dict[str, str]) -> Run:
    """Type `kubectl mcphub …`."""

    def type_command(*words: str, **variables: str) -> Done:
        return subprocess.run(
            ["kubectl", "mcphub", *words],
            env={**environment, **variables},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    return type_command


@pytest.fixture(scope="module", autouse=True)
def pictures(
    request: pytest.FixtureRequest, environment: dict[str, str]
) -> Iterator[None]:
    """Draw what terminals show, for the documentation, if that is asked for."""
    yield
    if request.config.getoption("write_operations"):
        for name, commands in PICTURES.items():
            shown = {
                each: run_in_terminal(each, environment, shows_progress=False)
                for each in commands
            }
            draw_terminal(FOLDER / f"{name}.svg", shown)


def test_status_shows_each_hub_and_fails_while_one_is_not_well(run: Run) -> None:
    table = run("status")
    value = run("status", "-o", "json")
    one = run("status", GOOD)

    hubs = {each["name"]: each for each in json.loads(value.stdout)}
    assert (table.returncode, value.returncode, one.returncode) == (1, 1, 0)
    assert {name: each["backends"][-1]["state"] for name, each in hubs.items()} == {
        GOOD: "Connected",
        SICK: "Unreachable",
    }
    lines = {line.split()[1]: line.split() for line in table.stdout.splitlines()}
    assert lines[GOOD][:5] == [NAMESPACE, GOOD, "2/2", "1/1", "Available"]
    assert lines[SICK][:4] == [NAMESPACE, SICK, "1/1", "1/2"]
    assert "BackendsReachable" in one.stdout


def test_tools_lists_what_the_client_may_call(run: Run) -> None:
    listed = run("tools", GOOD)
    value = run("tools", GOOD, "-o", "json")

    assert listed.returncode == value.returncode == 0, listed.stderr
    names = [each["name"] for each in json.loads(value.stdout)]
    assert [line.split()[0] for line in listed.stdout.splitlines()[1:]] == names
    assert {"shop_query", "health_check"} <= set(names)


def test_call_prints_rows_and_fails_with_the_tool(run: Run) -> None:
    text = run("call", GOOD, "shop_query", SQL)
    value = run("call", GOOD, "shop_query", SQL, "-o", "json")
    refused = run("call", GOOD, "shop_query", "sql=DROP TABLE customers")

    answer = json.loads(value.stdout)
    lines = text.stdout.splitlines()
    assert (text.returncode, value.returncode, refused.returncode) == (0, 0, 1)
    assert lines[0].split() == answer["columns"] == ["name", "id"]
    assert [line.rsplit(maxsplit=1) for line in lines[1:3]] == [
        [name, str(number)] for name, number in answer["rows"]
    ]
    assert "Rejected by rule" in refused.stdout


def test_what_connect_prints_connects(run: Run, installation: Installation) -> None:
    printed = run("connect", "demo", "-n", installation.namespace, "--to=cursor")
    inside = run("connect", GOOD)

    (server,) = json.loads(printed.stdout)["mcpServers"].values()
    token = server["headers"]["Authorization"].removeprefix("Bearer ")
    answer = call_tool(server["url"], token, "health_check", {})
    assert answer.result["status"] == "healthy"  # type: ignore[index]
    assert f"port-forward service/{GOOD}" in inside.stderr
    assert f"http://{GOOD}.{NAMESPACE}.svc" in inside.stdout


def test_logs_shows_calls_of_all_replicas(run: Run) -> None:
    assert run("call", GOOD, "shop_list_tables").returncode == 0

    every = run("logs", GOOD, "-o", "json")
    listed = run("logs", GOOD, "--tool=*_list_tables", "--client=default")

    calls = [json.loads(line) for line in every.stdout.splitlines()]
    assert every.returncode == listed.returncode == 0, every.stderr
    assert {"shop_list_tables", "shop_query"} <= {c["tool"] for c in calls}
    assert {call["client"] for call in calls} == {"default"}
    assert {call["hub"] for call in calls} == {GOOD}
    assert "shop_query" not in listed.stdout
    assert "default  shop_list_tables  ok" in listed.stdout


def test_doctor_says_that_a_hub_is_well_and_what_is_wrong_with_another(
    run: Run, team: Installation
) -> None:
    well = run("doctor", GOOD)
    sick = run("doctor", SICK)

    assert well.returncode == 0, well.stdout
    assert re.fullmatch(
        r"ok     a call: \d+ tools; All backends answer\.", well.stdout.splitlines()[-1]
    )
    last = sick.stdout.splitlines()[-1]
    (away,) = (
        each
        for each in team.get("mcphub", SICK)["status"]["backends"]
        if each["name"] == "archive"
    )
    assert sick.returncode == 1
    assert last.startswith("WRONG  databases: SomeUnreachable: archive is Unreachable")
    assert away["message"] in last
    assert away["reason"] == "DNSFailure"


def test_kubectl_completes_commands_and_hubs(environment: dict[str, str]) -> None:
    words = (["mcphub", "do"], ["mcphub", "doctor", ""])
    completed = [
        subprocess.check_output(
            ["kubectl", "__complete", *each],
            env=environment,
            text=True,
            stderr=subprocess.DEVNULL,
        ).split()
        for each in words
    ]

    assert completed[0][0] == "doctor"
    assert {GOOD, SICK} <= set(completed[1])


def test_a_terminal_sees_progress_and_a_pipe_does_not(
    run: Run, environment: dict[str, str]
) -> None:
    piped = run("tools", GOOD)
    sick = run("doctor", SICK)
    shown = run_in_terminal(f"kubectl mcphub tools {GOOD}", environment)
    red = run_in_terminal(f"kubectl mcphub doctor {SICK}", environment)

    assert ESCAPE not in piped.stdout + piped.stderr + sick.stdout + sick.stderr
    assert f"Asking hub {GOOD}" in shown
    assert "shop_query" in shown
    assert f"{ESCAPE}[31mWRONG  databases" in red


def test_the_rights_in_the_docs_are_enough_and_without_them_it_says_which_lacks(
    run: Run, team: Installation, environment: dict[str, str], tmp_path: Path
) -> None:
    config = build_kubeconfig(team, Path(environment["KUBECONFIG"]))
    (tmp_path / "config").write_text(yaml.safe_dump(config))
    as_user = {"KUBECONFIG": str(tmp_path / "config")}

    refused = run("status", GOOD, **as_user)
    bind_rights(team)
    done = {
        words[0]: run(*words, **as_user)
        for words in (
            ("status", GOOD),
            ("tools", GOOD),
            ("call", GOOD, "health_check"),
            ("connect", GOOD),
            ("logs", GOOD),
            ("doctor", GOOD),
        )
    }

    assert refused.returncode == 3
    assert refused.stderr.startswith("You lack a right in this cluster: ")
    assert {
        command: each.returncode for command, each in done.items()
    } == dict.fromkeys(done, 0), [each.stderr for each in done.values()]


def build_kubeconfig(team: Installation, path: Path) -> dict[str, Any]:
    """Return a kubeconfig of a user without rights."""
    team.kubectl("create", "serviceaccount", "person")
    token = team.kubectl("create", "token", "person").strip()
    config: dict[str, Any] = yaml.safe_load(path.read_text())
    config["users"][0]["user"] = {"token": token}
    return config


def bind_rights(team: Installation) -> None:
    """Give the user what the docs name."""
    group = "rbac.authorization.k8s.io"
    role = {
        "apiVersion": f"{group}/v1",
        "kind": "Role",
        "metadata": {"name": "person"},
        "rules": RIGHTS,
    }
    binding = {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "person"},
        "roleRef": {"apiGroup": group, "kind": "Role", "name": "person"},
        "subjects": [{"kind": "ServiceAccount", "name": "person"}],
    }
    team.apply(role, binding)
