"""PromQL that several dashboards use."""

from __future__ import annotations

HUBS = 'namespace=~"$namespace"'
HUB = f'{HUBS},hub=~"$hub"'
WINDOW = "[$__rate_interval]"
FAULTS = "backend_unavailable|internal|limit_exceeded|query_timeout"
"""Outcomes for which neither the model nor its statement is to blame."""

DURATION = "mcp_server_operation_duration_seconds"
CALLS = 'mcp_method_name="tools/call"'


def rate(metric: str, by: str, matchers: str) -> str:
    """Return how many a second, by some labels."""
    return f"sum by ({by}) (rate({metric}{{{matchers}}}{WINDOW}))"


def ratio(part: str, whole: str) -> str:
    """Return a share; 0 where the part has no series."""
    return f"(({part}) or ({whole}) * 0) / (({whole}) > 0) or ({whole}) * 0"


def quantile(share: float, histogram: str, by: str, matchers: str) -> str:
    """Return a quantile of a histogram, by some labels."""
    labels = f"{by}, le" if by else "le"
    return (
        f"histogram_quantile({share}, {rate(f'{histogram}_bucket', labels, matchers)})"
    )


def faults(by: str, matchers: str) -> str:
    """Return the share of calls that failed for no fault of the model."""
    metric = "mcphub_tool_calls_total"
    bad = f'{matchers},outcome=~"{FAULTS}"'
    return ratio(rate(metric, by, bad), rate(metric, by, matchers))


def or_zero(expression: str) -> str:
    """Return 0 while there is nothing yet, as of failures."""
    return f"{expression} or on() vector(0)"
