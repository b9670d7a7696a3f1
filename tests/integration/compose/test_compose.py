"""examples/compose: its files are valid, and what they configure survives failures."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
import yaml

from tests.support.compose.stage import CALLS, CLIENT, CLIENTS, EXAMPLE, MODES
from tests.support.system_packages import ensure_packages
from tools.project import ROOT

STAGE_SECONDS = 900
UNSHARE = ("unshare", "--net", "--mount", "--propagation", "private")

pytestmark = pytest.mark.timeout(STAGE_SECONDS)


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    loaded = yaml.safe_load((EXAMPLE / "compose.yml").read_text())
    found: dict[str, Any] = loaded["services"]
    return found


def test_compose_accepts_the_file() -> None:
    ensure_packages(**{"docker-compose": "docker-compose"})

    done = subprocess.run(
        ["docker-compose", "--file", EXAMPLE / "compose.yml", "config", "--quiet"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def test_containers_are_confined_and_come_back(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["restart"] == "unless-stopped", name
        assert service["healthcheck"]["test"], name
        assert service["mem_limit"], name


def test_no_secret_stands_in_an_environment(services: dict[str, Any]) -> None:
    for name, service in services.items():
        for variable in service.get("environment", {}):
            is_secret = "PASSWORD" in variable and not variable.endswith("__FILE")
            assert not is_secret, f"{name}: {variable}"


def test_all_instances_share_keys_and_a_name(services: dict[str, Any]) -> None:
    instances = [each for name, each in services.items() if name.startswith("hub-")]
    aliases = {each["networks"]["hub"]["aliases"][0] for each in instances}
    identities = {
        (each["environment"]["MCPHUB_HUB"], each["environment"]["MCPHUB_NAMESPACE"])
        for each in instances
    }

    assert len(instances) == 3
    assert aliases == {f"{hub}-pods.{namespace}.svc" for hub, namespace in identities}
    for each in instances:
        assert "./secrets/keys:/etc/mcphub/keys:ro" in each["volumes"]
        address = each["networks"]["hub"]["ipv4_address"]
        assert each["environment"]["MCPHUB_POD_IP"] == address


def test_every_mounted_file_is_there(services: dict[str, Any]) -> None:
    for service in services.values():
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            if source.startswith("./") and not source.startswith("./secrets"):
                assert (EXAMPLE / source).exists(), source


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    """What was seen while nginx was reloaded, an instance killed and one stopped."""
    if os.geteuid() != 0:
        pytest.skip("a network of its own needs root")
    ensure_packages(nginx="nginx-light", prometheus="prometheus")
    done = subprocess.run(
        [*UNSHARE, sys.executable, "-m", "tests.support.compose.stage"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=STAGE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-6000:]
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


def test_no_call_is_lost_when_nginx_reloads_and_instances_die_or_stop(
    report: dict[str, Any],
) -> None:
    assert report["errors"] == []
    assert len(report["calls"]) == len(MODES) * CLIENTS + 1
    assert min(report["calls"].values()) >= 4 * CALLS


def test_an_instance_that_comes_back_is_used_again(report: dict[str, Any]) -> None:
    assert report["returned"]


def test_prometheus_has_every_instance_and_dashboards_have_data(
    report: dict[str, Any],
) -> None:
    assert report["up"] == {f"hub-{number}:8081": "1" for number in (1, 2, 3)}
    assert report["panels"] > 0
    assert report["empty_panels"] == []


def test_the_audit_log_names_the_client_behind_nginx(report: dict[str, Any]) -> None:
    assert report["client_addresses"] == [CLIENT]
