"""Alerts fire when they should, by Prometheus' own tool, and lead to a page."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from mcphub_operator.metrics import Metrics as OperatorMetrics
from mcphub_server.management.metrics import LiveCollector
from mcphub_server.traffic.state import ServerState
from tests.support.system_packages import ensure_packages
from tools.project import DOCS

Build = Callable[[str], list[dict[str, Any]]]

FIRING = 'ALERTS{alertname="%s",alertstate="firing"}'
REPLICA = 'namespace="ai",hub="team",pod="p"'
TARGET = '{namespace="ai",hub="team",pod="p",backend="db",type="neo4j"'


@pytest.fixture(scope="module")
def groups(build: Build) -> dict[str, Any]:
    (rule,) = [o for o in build("monitoring") if o["kind"] == "PrometheusRule"]
    return dict(rule["spec"])


@pytest.fixture(scope="module")
def alerts(groups: dict[str, Any]) -> list[dict[str, Any]]:
    return [rule for group in groups["groups"] for rule in group["rules"]]


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    ensure_packages(promtool="prometheus")
    return subprocess.run(
        ["promtool", *arguments], capture_output=True, text=True, check=False
    )


def series(name: str, values: str) -> dict[str, str]:
    return {"series": name, "values": values}


CASES = [
    pytest.param(
        "McpHubStalled",
        series('mcphub_operator_hubs{condition="Stalled",status="True"}', "1x20"),
        "15m",
        1,
        id="a hub is stalled for a quarter of an hour",
    ),
    pytest.param(
        "McpHubStalled",
        series('mcphub_operator_hubs{condition="Stalled",status="True"}', "1x5 0x20"),
        "15m",
        0,
        id="a hub was stalled and is not any more",
    ),
    pytest.param(
        "McpHubSecretMissing",
        series(
            'mcphub_operator_hubs{condition="SecretsResolved",status="False"}', "2x20"
        ),
        "11m",
        1,
        id="a secret is missing",
    ),
    pytest.param(
        "McpHubBackendDown",
        series(f'mcphub_backend_state{TARGET},state="Unreachable"}}', "1x20"),
        "6m",
        1,
        id="a backend is down",
    ),
    pytest.param(
        "McpHubBackendDown",
        series(f'mcphub_backend_state{TARGET},state="Unreachable"}}', "1x3 0x20"),
        "6m",
        0,
        id="a backend was down for three minutes",
    ),
    pytest.param(
        "McpHubFull",
        series(
            f'mcphub_sessions_rejected_total{{{REPLICA},outcome="refused"}}', "0+3x20"
        ),
        "12m",
        1,
        id="clients are rejected all the time",
    ),
    pytest.param(
        "McpHubFull",
        series(
            f'mcphub_sessions_rejected_total{{{REPLICA},outcome="refused"}}', "0 0 3x20"
        ),
        "12m",
        0,
        id="clients were rejected once",
    ),
    pytest.param(
        "McpHubOperatorAbsent",
        series('mcphub_operator_leader{pod="a"}', "0x20"),
        "6m",
        1,
        id="no operator leads",
    ),
    pytest.param(
        "McpHubOperatorAbsent",
        series('mcphub_operator_leader{pod="a"}', "1x20"),
        "6m",
        0,
        id="an operator leads",
    ),
    pytest.param(
        "McpHubOperatorFailing",
        series('mcphub_operator_reconciles_total{result="error"}', "0+1x60"),
        "45m",
        1,
        id="passes fail all the time",
    ),
    pytest.param(
        "McpHubOperatorFailing",
        series('mcphub_operator_reconciles_total{result="error"}', "0 1x60"),
        "45m",
        0,
        id="one pass failed",
    ),
]


@pytest.mark.parametrize(("alert", "given", "after", "expected"), CASES)
def test_an_alert_fires_when_it_should(
    groups: dict[str, Any],
    tmp_path: Path,
    alert: str,
    given: dict[str, str],
    after: str,
    expected: int,
) -> None:
    (tmp_path / "rules.yaml").write_text(json.dumps(groups))
    counting = {
        "expr": f"count({FIRING % alert}) or vector(0)",
        "eval_time": after,
        "exp_samples": [{"labels": "{}", "value": expected}],
    }
    case = {
        "interval": "1m",
        "input_series": [given],
        "promql_expr_test": [counting],
    }
    file = tmp_path / "test.yaml"
    file.write_text(json.dumps({"rule_files": ["rules.yaml"], "tests": [case]}))

    done = promtool("test", "rules", str(file))

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_tried(alerts: list[dict[str, Any]]) -> None:
    firing = {case.values[0] for case in CASES if case.values[3]}

    assert firing == {rule["alert"] for rule in alerts}


def test_every_alert_has_its_page(alerts: list[dict[str, Any]]) -> None:
    text = (DOCS / "alerts.md").read_text()

    for rule in alerts:
        page = f"docs/alerts.md#{rule['alert'].lower()}"
        assert rule["annotations"]["runbook"] == page
        assert f"## {rule['alert']}\n" in text


def test_alerts_ask_for_metrics_that_are_there(alerts: list[dict[str, Any]]) -> None:
    asked = {
        name
        for rule in alerts
        for name in re.findall(r"\bmcp[a-z]*_[a-z_]+", rule["expr"])
    }
    server = CollectorRegistry()
    server.register(LiveCollector([], ServerState()))

    known = {
        f"{family.name}{'_total' if family.type == 'counter' else ''}"
        for registry in (OperatorMetrics().registry, server)
        for family in registry.collect()
    }

    assert asked <= known
