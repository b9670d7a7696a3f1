"""The operator: whether it leads, keeps up, and reaches the API server."""

from __future__ import annotations

from tools.dashboards.build import Dashboard, Panel, Row, ask, stat
from tools.dashboards.expressions import WINDOW, or_zero, quantile, rate

OPERATOR = 'job=~".*operator.*"'


def build_operator() -> Dashboard:
    """Return the dashboard of the operator."""
    return Dashboard(
        uid="mcphub-operator",
        title="mcphub / Operator",
        description="Whether the operator leads, keeps up, and what hubs lack.",
        variables={},
        rows=(Row(_numbers(), 4), Row(_passes()), Row(_requests()), Row(_hubs())),
    )


def _numbers() -> tuple[Panel, ...]:
    return (
        stat(
            "Leaders",
            "sum(mcphub_operator_leader)",
            description="0: McpHubOperatorAbsent.",
        ),
        stat(
            "Hubs",
            or_zero('sum(mcphub_operator_hubs{condition="Ready"})'),
        ),
        stat(
            "Hubs that are stalled",
            or_zero('sum(mcphub_operator_hubs{condition="Stalled",status="True"})'),
            steps=(1, 1),
            description="They need a person: McpHubStalled.",
        ),
        stat("Hubs that wait", "sum(mcphub_operator_queue_depth)"),
        stat(
            "Oldest wait",
            "max(mcphub_operator_queue_oldest_age_seconds)",
            unit="s",
            steps=(30, 120),
        ),
    )


def _passes() -> tuple[Panel, ...]:
    return (
        ask(
            "Passes",
            rate("mcphub_operator_reconciles_total", "result", ""),
            "{{result}}",
            unit="reqps",
            description="McpHubOperatorFailing looks at the errors.",
        ),
        ask(
            "Duration of a pass, 95 %",
            quantile(0.95, "mcphub_operator_reconcile_duration_seconds", "", ""),
            "95 %",
            unit="s",
        ),
        ask(
            "CPU",
            rate("process_cpu_seconds_total", "pod", OPERATOR),
            "{{pod}}",
            unit="none",
        ),
    )


def _requests() -> tuple[Panel, ...]:
    return (
        ask(
            "Requests to the API server",
            rate("mcphub_operator_api_requests_total", "verb", ""),
            "{{verb}}",
            unit="reqps",
        ),
        ask(
            "Writes",
            or_zero(rate("mcphub_operator_writes_total", "kind", "")),
            "{{kind}}",
            unit="reqps",
            description="None while nothing changes.",
        ),
        ask(
            "Writes that failed or were held back",
            or_zero(
                "sum by (kind) ("
                f"rate(mcphub_operator_write_failures_total{WINDOW})"
                f" or rate(mcphub_operator_writes_held_back_total{WINDOW}))"
            ),
            "{{kind}}",
            unit="reqps",
        ),
    )


def _hubs() -> tuple[Panel, ...]:
    bad = 'condition!~"Stalled|Paused|Reconciling",status="False"'
    return (
        ask(
            "Hubs by what is False",
            or_zero(f"sum by (condition) (mcphub_operator_hubs{{{bad}}}) > 0"),
            "{{condition}}",
            description="docs/operations.md explains each condition.",
        ),
        ask(
            "Hubs by what is unknown",
            or_zero('sum by (condition) (mcphub_operator_hubs{status="Unknown"}) > 0'),
            "{{condition}}",
        ),
        ask(
            "Memory",
            f"sum by (pod) (process_resident_memory_bytes{{{OPERATOR}}})",
            "{{pod}}",
            unit="bytes",
        ),
    )
