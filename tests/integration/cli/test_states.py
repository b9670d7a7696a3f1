"""A real operator writes the states; the program says what it wrote."""

import asyncio
import json
from typing import Any

import pytest
import yaml

from mcphub_operator import names
from mcphub_operator.client.kinds import POD
from tests.support.running_operator import World, running_operator
from tests.support.waiting import wait_until

from .conftest import Run

POSTGRES = {
    "host": "db.svc",
    "database": "shop",
    "credentialsSecretRef": {"name": "shop-login"},
}
UNSCHEDULED = {
    "status": {
        "conditions": [
            {
                "type": "PodScheduled",
                "status": "False",
                "reason": "Unschedulable",
                "message": "0/3 nodes are available",
            }
        ]
    }
}


async def make_unschedulable(world: World, hub: str) -> None:
    """Play the scheduler."""
    pods: list[Any] = []

    async def there() -> bool:
        pods[:] = await world.list(POD, f"{names.LABEL_INSTANCE}={hub}")
        return bool(pods)

    await wait_until(there)
    await world.patch(POD, pods[0]["metadata"]["name"], UNSCHEDULED, "/status")


async def test_doctor_and_status_say_what_the_operator_found(
    world: World, run: Run
) -> None:
    async with running_operator(world):
        await world.apply_hub("lost", backends=[{"name": "shop", "postgres": POSTGRES}])
        await world.apply_hub("zero", replicas=0)
        await world.apply_hub("stopped", replicas=0, paused=True)
        await world.apply_hub("full")
        await make_unschedulable(world, "full")
        reasons = {
            "lost": "SecretMissing",
            "zero": "ScaledToZero",
            "stopped": "ScaledToZero",
            "full": "Unschedulable",
        }
        told = {
            hub: await world.wait_condition("Ready", "False", reason, hub)
            for hub, reason in reasons.items()
        }
        walks = {
            hub: await asyncio.to_thread(run, "doctor", hub, "-o", "json")
            for hub in reasons
        }
        listed = await asyncio.to_thread(run, "status", "-o", "json")
        table = await asyncio.to_thread(run, "status")
        text = await asyncio.to_thread(run, "doctor", "lost")

    for hub, walk in walks.items():
        last = json.loads(walk.stdout)["checks"][-1]
        assert walk.returncode == 1
        assert last["reason"] == reasons[hub]
        assert last["message"] == told[hub]["message"]
    assert listed.returncode == table.returncode == 1
    assert {e["name"]: e["status"] for e in json.loads(listed.stdout)} == reasons
    assert all(f" {reason} " in table.stdout for reason in reasons.values())
    assert text.stdout.splitlines()[-1] == (
        f"WRONG  secrets: SecretMissing: {told['lost']['message']}"
    )
    assert "\x1b" not in text.stdout + table.stdout


async def test_without_an_operator_the_status_is_missing(
    world: World, run: Run
) -> None:
    await world.apply_hub("team")

    walk = await asyncio.to_thread(run, "doctor", "team")

    assert walk.returncode == 1
    assert "NoStatus" in walk.stdout
    assert world.namespace in walk.stdout


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        pytest.param(["doctor", "none"], 3, "There is no hub none", id="no such hub"),
        pytest.param(["doctor"], 2, "Missing argument", id="no hub named"),
        pytest.param(["status", "--context=x"], 3, '"x" does not', id="no context"),
        pytest.param(["status", "x", "-A"], 2, "not both", id="a hub and all"),
        pytest.param(["connect", "x", "--to=y"], 2, "no client y", id="no client"),
        pytest.param(
            ["connect", "x", "--write=f"], 2, "--write needs --to", id="no --to"
        ),
        pytest.param(["connect", "x", "--url=y"], 2, "not an http", id="no address"),
        pytest.param(["call", "x", "y", "z"], 2, "name=value", id="no argument"),
        pytest.param(["call", "x", "y", "--arguments=["], 2, "no JSON", id="no JSON"),
        pytest.param(
            ["logs", "x", "--since=banana"], 2, "takes a duration", id="no duration"
        ),
    ],
)
async def test_a_command_that_cannot_work_says_why(
    run: Run, words: list[str], code: int, sentence: str
) -> None:
    done = await asyncio.to_thread(run, *words)

    assert done.returncode == code, done.stderr
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


async def test_a_user_without_rights_is_told_which(
    run: Run, api_server: Any, tmp_path: Any
) -> None:
    config = yaml.safe_load(api_server.kubeconfig.read_text())
    config["users"][0]["user"]["as"] = "visitor"
    (tmp_path / "config").write_text(json.dumps(config))

    done = await asyncio.to_thread(run, "status", KUBECONFIG=str(tmp_path / "config"))

    assert done.returncode == 3
    assert "You lack a right in this cluster" in done.stderr
    assert 'User "visitor" cannot list' in done.stderr


async def test_without_a_kubeconfig_it_says_what_to_set(
    run: Run, tmp_path: Any
) -> None:
    done = await asyncio.to_thread(
        run, "status", KUBECONFIG=str(tmp_path / "none"), HOME=str(tmp_path)
    )

    assert done.returncode == 3
    assert done.stderr.startswith("No cluster is configured")


async def test_an_api_server_that_is_away_is_told(
    run: Run, api_server: Any, tmp_path: Any
) -> None:
    text = api_server.kubeconfig.read_text().replace(
        api_server.url, "https://127.0.0.1:9"
    )
    (tmp_path / "config").write_text(text)

    done = await asyncio.to_thread(run, "status", KUBECONFIG=str(tmp_path / "config"))

    assert done.returncode == 3
    assert done.stderr.startswith("The API server does not answer")
