"""Alerts fire when they should, by Prometheus' own tool, and lead to a page."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest

from mcphub_operator.client.api import Request
from mcphub_operator.metrics import Metrics as OperatorMetrics
from mcphub_server.management.metrics import Metrics as ServerMetrics
from mcphub_server.tracing.exporting import ExportState
from mcphub_server.traffic.state import ServerState
from tests.support.system_packages import ensure_packages
from tools.project import DOCS

Build = Callable[[str], list[dict[str, Any]]]

FIRING = 'ALERTS{alertname="%s",alertstate="firing"}'
REPLICA = 'namespace="ai",hub="team",pod="p"'
TARGET = '{namespace="ai",hub="team",pod="p",backend="db",type="neo4j"'
CERTIFICATE = "mcphub_certificate_expiration_timestamp_seconds"


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


def unreachable(pod: str, values: str) -> dict[str, str]:
    labels = f'namespace="ai",hub="team",pod="{pod}",backend="db",state="Unreachable"'
    return series(f"mcphub_backend_state{{{labels}}}", values)


def calls(outcome: str, values: str) -> dict[str, str]:
    labels = f'{REPLICA},tool="db_query",outcome="{outcome}"'
    return series(f"mcphub_tool_calls_total{{{labels}}}", values)


def duration(bound: str, values: str) -> dict[str, str]:
    labels = f'{REPLICA},mcp_method_name="tools/call",le="{bound}"'
    return series(f"mcp_server_operation_duration_seconds_bucket{{{labels}}}", values)


ENDLESS = (duration("+Inf", "0+10x40"),)

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
        "McpHubSecretMissing",
        series(
            'mcphub_operator_hubs{condition="SecretsResolved",status="False"}',
            "2x4 0x20",
        ),
        "11m",
        0,
        id="a secret was missing and is there",
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
        "McpHubBackendDownEverywhere",
        [unreachable("a", "1x20"), unreachable("b", "1x20")],
        "6m",
        1,
        id="no replica reaches a backend",
    ),
    pytest.param(
        "McpHubBackendDownEverywhere",
        [unreachable("a", "1x20"), unreachable("b", "0x20")],
        "6m",
        0,
        id="another replica reaches it",
    ),
    pytest.param(
        "McpHubBackendLoginFailing",
        series(f'mcphub_backend_problem{TARGET},reason="TLSFailure"}}', "1x20"),
        "6m",
        1,
        id="a certificate has expired",
    ),
    pytest.param(
        "McpHubBackendLoginFailing",
        series(f'mcphub_backend_problem{TARGET},reason="Timeout"}}', "1x20"),
        "6m",
        0,
        id="a backend is slow",
    ),
    pytest.param(
        "McpHubErrorRatio",
        [calls("ok", "0+60x40"), calls("query_timeout", "0+10x40")],
        "25m",
        1,
        id="one call in seven runs out of time",
    ),
    pytest.param(
        "McpHubErrorRatio",
        [calls("ok", "0+60x40"), calls("query_timeout", "0+1x40")],
        "25m",
        0,
        id="one call in sixty runs out of time",
    ),
    pytest.param(
        "McpHubErrorRatio",
        [calls("ok", "0+60x40"), calls("rejected", "0+60x40")],
        "25m",
        0,
        id="models write what guards refuse",
    ),
    pytest.param(
        "McpHubSlow",
        [duration("10", "0+9x40"), duration("30", "0+10x40"), *ENDLESS],
        "30m",
        1,
        id="one call in ten takes longer than 10 s",
    ),
    pytest.param(
        "McpHubSlow",
        [duration("10", "0+10x40"), duration("30", "0+10x40"), *ENDLESS],
        "30m",
        0,
        id="no call takes longer than 10 s",
    ),
    pytest.param(
        "McpHubTracesLost",
        series(
            f'mcphub_spans_dropped_total{{{REPLICA},reason="export_failed"}}', "0+5x60"
        ),
        "45m",
        1,
        id="spans get lost all the time",
    ),
    pytest.param(
        "McpHubTracesLost",
        series(
            f'mcphub_spans_dropped_total{{{REPLICA},reason="export_failed"}}', "0 5x60"
        ),
        "45m",
        0,
        id="spans got lost once",
    ),
    pytest.param(
        "McpHubKeysUnavailable",
        series('mcphub_operator_hubs{condition="KeysAvailable",status="False"}', "1x9"),
        "6m",
        1,
        id="a hub has no signing keys",
    ),
    pytest.param(
        "McpHubKeysUnavailable",
        series('mcphub_operator_hubs{condition="KeysAvailable",status="True"}', "1x9"),
        "6m",
        0,
        id="a hub has its signing keys",
    ),
    pytest.param(
        "McpHubToolsInvalid",
        series('mcphub_operator_hubs{condition="ToolsValid",status="False"}', "3x20"),
        "12m",
        1,
        id="declared tools do not work",
    ),
    pytest.param(
        "McpHubToolsInvalid",
        series('mcphub_operator_hubs{condition="ToolsValid",status="Unknown"}', "3x20"),
        "12m",
        0,
        id="declared tools were not checked yet",
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
        "McpHubCertificateExpires",
        series(f"{CERTIFICATE}{{{REPLICA}}}", "86400x200"),
        "2h",
        1,
        id="a certificate expires tomorrow",
    ),
    pytest.param(
        "McpHubCertificateExpires",
        series(f"{CERTIFICATE}{{{REPLICA}}}", "8640000x200"),
        "2h",
        0,
        id="a certificate is valid for long",
    ),
    pytest.param(
        "McpHubCertificateExpires",
        series(f"{CERTIFICATE}{{{REPLICA}}}", "0x200"),
        "2h",
        0,
        id="a replica waits for its first certificate",
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
    given: dict[str, str] | list[dict[str, str]],
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
        "input_series": given if isinstance(given, list) else [given],
        "promql_expr_test": [counting],
    }
    file = tmp_path / "test.yaml"
    file.write_text(json.dumps({"rule_files": ["rules.yaml"], "tests": [case]}))

    done = promtool("test", "rules", str(file))

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_tried(alerts: list[dict[str, Any]]) -> None:
    firing = {case.values[0] for case in CASES if case.values[3]}
    silent = {case.values[0] for case in CASES if not case.values[3]}

    assert firing == silent == {rule["alert"] for rule in alerts}


def test_every_alert_has_its_page(alerts: list[dict[str, Any]]) -> None:
    text = (DOCS / "alerts.md").read_text()

    for rule in alerts:
        page = f"docs/alerts.md#{rule['alert'].lower()}"
        assert rule["annotations"]["runbook_url"] == page
        assert f"## {rule['alert']}\n" in text


def test_alerts_ask_for_metrics_that_are_there(alerts: list[dict[str, Any]]) -> None:
    asked = {
        name
        for rule in alerts
        for name in re.findall(r"\bmcp[a-z]*_[a-z_]+", rule["expr"])
    }
    server = ServerMetrics("0")
    server.watch([], ServerState())
    ExportState(server.registry, lambda: None)
    server.watch_certificate(float)

    suffixes = {"counter": "_total", "histogram": "_bucket"}
    known = {
        f"{family.name}{suffixes.get(family.type, '')}"
        for registry in (OperatorMetrics().registry, server.registry)
        for family in registry.collect()
    }

    assert asked - {"mcp_method_name"} <= known


def test_prometheus_finds_nothing_wrong_with_the_operators_metrics() -> None:
    metrics = OperatorMetrics()
    metrics.reconciled(0.1, failed=True)
    metrics.requested(Request("apply", "Secret", 403, 0.1, "Forbidden"))
    metrics.count_hubs({("Ready", "True"): 1})
    metrics.note_namespace("ai", served=True)
    ensure_packages(promtool="prometheus")

    done = subprocess.run(
        ["promtool", "check", "metrics"],
        input=generate_latest(metrics.registry),
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stderr.decode()) == (0, "")
