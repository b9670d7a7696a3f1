"""All hubs of a cluster: which of them needs a look."""

from __future__ import annotations

from tools.dashboards.build import Dashboard, Panel, Query, Row, ask, stat
from tools.dashboards.expressions import (
    CALLS,
    DURATION,
    HUBS,
    faults,
    or_zero,
    quantile,
    rate,
)

BY = "namespace, hub"
LEGEND = "{{namespace}}/{{hub}}"


def build_hubs() -> Dashboard:
    """Return the dashboard of all hubs."""
    return Dashboard(
        uid="mcphub-hubs",
        title="mcphub / All hubs",
        description="Which hubs are used, and which of them needs a look.",
        variables={"namespace": "mcphub_build_info"},
        rows=(Row(_numbers(), 4), Row(_traffic()), Row(_state()), Row(_process())),
    )


def _numbers() -> tuple[Panel, ...]:
    unreachable = (
        f'max by ({BY}, backend) (mcphub_backend_state{{{HUBS},state="Unreachable"}})'
    )
    return (
        stat("Hubs", f"count(count by ({BY}) (mcphub_build_info{{{HUBS}}}))"),
        stat("Replicas", f"sum(mcphub_draining{{{HUBS}}} == bool 0)"),
        stat(
            "Calls",
            f"sum(rate(mcphub_tool_calls_total{{{HUBS}}}[$__rate_interval]))",
            unit="reqps",
        ),
        stat(
            "Backends not reached",
            or_zero(f"sum({unreachable})"),
            steps=(1, 1),
            description="A replica does not reach these: McpHubBackendDown.",
        ),
        stat(
            "Clients without room",
            or_zero(
                f'sum(increase(mcphub_sessions_rejected_total{{{HUBS},outcome="refused"}}'
                "[$__rate_interval]))"
            ),
            steps=(1, 1),
            description="New sessions that no replica had room for: McpHubFull.",
        ),
        stat("Versions", f"count(count by (version) (mcphub_build_info{{{HUBS}}}))"),
    )


def _traffic() -> tuple[Panel, ...]:
    matchers = f"{HUBS},{CALLS}"
    return (
        ask("Calls", rate(f"{DURATION}_count", BY, matchers), LEGEND, unit="reqps"),
        ask(
            "Calls that failed for no fault of the model",
            faults(BY, HUBS),
            LEGEND,
            unit="percentunit",
            steps=(0.05, 0.1),
            description="Backends, limits, time and faults inside: McpHubErrorRatio.",
        ),
        ask(
            "Duration of calls, 95 %",
            quantile(0.95, DURATION, BY, matchers),
            LEGEND,
            unit="s",
            steps=(5, 10),
            description="McpHubSlow looks at the same.",
        ),
    )


def _state() -> tuple[Panel, ...]:
    used = f"sum by ({BY}) (mcphub_sessions{{{HUBS}}})"
    limit = f"sum by ({BY}) (mcphub_sessions_limit{{{HUBS}}})"
    refused = rate("mcphub_auth_failures_total", f"{BY}, reason", HUBS)
    problems = f"max by ({BY}, backend, reason) (mcphub_backend_problem{{{HUBS}}})"
    return (
        ask(
            "Room in use",
            f"{used} / {limit}",
            LEGEND,
            unit="percentunit",
            steps=(0.8, 0.95),
            description="Open streams, of those for which the replicas have memory.",
        ),
        ask(
            "Why backends are not connected",
            or_zero(problems),
            "{{namespace}}/{{hub}} {{backend}}: {{reason}}",
            description="docs/databases.md has a line for each reason.",
        ),
        ask(
            "Refused credentials",
            or_zero(f"{refused} > 0"),
            "{{namespace}}/{{hub}} {{reason}}",
            unit="reqps",
        ),
    )


def _process() -> tuple[Panel, ...]:
    matchers = f'{HUBS},hub!=""'
    memory = f"sum by ({BY}) (process_resident_memory_bytes{{{matchers}}})"
    return (
        ask(
            "CPU",
            rate("process_cpu_seconds_total", BY, matchers),
            LEGEND,
            unit="none",
            description="Processors in use by all replicas of a hub.",
        ),
        ask("Memory", memory, LEGEND, unit="bytes"),
        Panel(
            "Requests that another replica answered",
            (
                Query(
                    f"sum by ({BY}) (rate(mcphub_session_requests_total"
                    f'{{{HUBS},outcome="forwarded"}}[$__rate_interval]))',
                    LEGEND,
                ),
            ),
            unit="reqps",
            description="Sessions whose client reaches another replica than theirs.",
        ),
    )
