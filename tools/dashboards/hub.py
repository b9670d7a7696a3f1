"""One hub: its tools, its databases, its clients and its replicas."""

from __future__ import annotations

from tools.dashboards.build import Dashboard, Panel, Query, Row, ask, stat
from tools.dashboards.expressions import (
    CALLS,
    DURATION,
    HUB,
    faults,
    or_zero,
    quantile,
    rate,
)

TOOL_CALLS = "mcphub_tool_calls_total"


def build_hub() -> Dashboard:
    """Return the dashboard of one hub."""
    return Dashboard(
        uid="mcphub-hub",
        title="mcphub / One hub",
        description="The tools, databases, clients and replicas of a hub.",
        variables={"namespace": "mcphub_build_info", "hub": "mcphub_build_info"},
        rows=(
            Row(_numbers(), 4),
            Row(_tools()),
            Row(_waits()),
            Row(_databases()),
            Row(_clients()),
            Row(_sessions()),
            Row(_replicas()),
        ),
    )


def _numbers() -> tuple[Panel, ...]:
    applied = f"max(mcphub_configuration_applied_timestamp_seconds{{{HUB}}})"
    return (
        stat("Replicas", f"count(mcphub_build_info{{{HUB}}})"),
        stat("Calls in flight", f"sum(mcphub_calls_in_flight{{{HUB}}})"),
        stat("Open streams", f"sum(mcphub_sessions{{{HUB}}})"),
        stat(
            "Backends connected",
            f"sum(min by (namespace, hub, backend) "
            f'(mcphub_backend_state{{{HUB},state="Connected"}}))',
            description="On every replica.",
        ),
        stat("Age of the configuration", f"time() - {applied}", unit="s"),
        stat(
            "Spans dropped",
            or_zero(f"sum(increase(mcphub_spans_dropped_total{{{HUB}}}[1h]))"),
            steps=(1, 1000),
            description="Within an hour: McpHubTracesLost.",
        ),
    )


def _tools() -> tuple[Panel, ...]:
    return (
        ask("Calls by tool", rate(TOOL_CALLS, "tool", HUB), "{{tool}}", unit="reqps"),
        ask(
            "Calls by outcome",
            rate(TOOL_CALLS, "outcome", HUB),
            "{{outcome}}",
            unit="reqps",
            description="docs/tools.md explains each kind of failure.",
        ),
        ask(
            "Calls that failed for no fault of the model",
            faults("tool", HUB),
            "{{tool}}",
            unit="percentunit",
            steps=(0.05, 0.1),
            description="McpHubErrorRatio looks at the same.",
        ),
    )


def _waits() -> tuple[Panel, ...]:
    matchers = f"{HUB},{CALLS}"
    shares = (0.5, 0.95, 0.99)
    return (
        Panel(
            "Duration of calls",
            tuple(
                Query(quantile(share, DURATION, "", matchers), f"{share:.0%}")
                for share in shares
            ),
            unit="s",
            description="With traces on, the dots lead to one: docs/monitoring.md.",
        ),
        ask(
            "Duration by tool, 95 %",
            quantile(0.95, DURATION, "gen_ai_tool_name", matchers),
            "{{gen_ai_tool_name}}",
            unit="s",
        ),
        Panel(
            "Waiting before the database, 95 %",
            (
                Query(quantile(0.95, "mcphub_slot_wait_seconds", "", HUB), "a place"),
                Query(
                    quantile(0.95, "mcphub_pool_wait_seconds", "backend", HUB),
                    "a connection to {{backend}}",
                ),
            ),
            unit="s",
            description="More replicas, or a larger pool, where this grows.",
        ),
    )


def _databases() -> tuple[Panel, ...]:
    used = (
        "max by (backend) (mcphub_backend_connections"
        f'{{{HUB},state="used"}} / on (namespace, hub, pod, backend)'
        f" mcphub_backend_connections_max{{{HUB}}})"
    )
    return (
        ask(
            "Backends",
            f"sum by (backend, state) (mcphub_backend_state{{{HUB}}}) > 0",
            "{{backend}} {{state}}",
            description="Replicas by what they say: McpHubBackendDown.",
        ),
        ask(
            "Connections in use",
            used,
            "{{backend}}",
            unit="percentunit",
            maximum=1,
            steps=(0.8, 1),
            description="Of those that a pool may have; the fullest replica.",
        ),
        ask(
            "Refusals by guards",
            or_zero(rate("mcphub_guard_refusals_total", "rule", HUB)),
            "{{rule}}",
            unit="reqps",
            description="Statements that are not known to only read.",
        ),
    )


def _clients() -> tuple[Panel, ...]:
    refused = rate("mcphub_auth_failures_total", "reason", HUB)
    return (
        Panel(
            "Credentials",
            (
                Query(
                    f"sum(rate(mcphub_authentications_total{{{HUB}}}[$__rate_interval]))",
                    "accepted",
                ),
                Query(
                    or_zero(f"{refused} > 0"),
                    "{{reason}}",
                ),
            ),
            unit="reqps",
        ),
        ask(
            "Refusals by limits",
            rate("mcphub_requests_limited_total", "limit", HUB),
            "{{limit}}",
            unit="reqps",
        ),
        Panel(
            "Results",
            (
                Query(
                    f"sum(rate(mcphub_result_bytes_total{{{HUB}}}[$__rate_interval]))",
                    "bytes",
                ),
            ),
            unit="Bps",
        ),
    )


def _sessions() -> tuple[Panel, ...]:
    return (
        ask(
            "Requests of sessions",
            rate("mcphub_session_requests_total", "outcome", HUB),
            "{{outcome}}",
            unit="reqps",
        ),
        ask(
            "Responses asked for again",
            rate("mcphub_responses_resumed_total", "outcome", HUB),
            "{{outcome}}",
            unit="reqps",
            description="Clients that lost their connection in the middle of a call.",
        ),
        ask(
            "New sessions turned down",
            rate("mcphub_sessions_rejected_total", "outcome", HUB),
            "{{outcome}}",
            unit="reqps",
            description="Redirected to another replica, or refused: McpHubFull.",
        ),
    )


def _replicas() -> tuple[Panel, ...]:
    return (
        ask(
            "CPU",
            rate("process_cpu_seconds_total", "pod", HUB),
            "{{pod}}",
            unit="none",
        ),
        ask(
            "Memory",
            f"sum by (pod) (process_resident_memory_bytes{{{HUB}}})",
            "{{pod}}",
            unit="bytes",
        ),
        ask(
            "Open streams",
            f"sum by (pod) (mcphub_sessions{{{HUB}}})",
            "{{pod}}",
        ),
    )
