"""The server's pages say what the server does."""

import re

import pytest
import yaml

from mcphub_server.__main__ import build_parser
from mcphub_server.config.environment import list_variables
from mcphub_server.config.hub import HubConfig
from mcphub_server.config.load import parse_hub_config
from mcphub_server.config.runtime import RuntimeSettings
from mcphub_server.guards.sql.check import check_sql
from mcphub_server.management.metrics import Metrics
from mcphub_server.sessions.metrics import SessionMetrics
from mcphub_server.tracing.exporting import ExportState
from tools.project import DOCS

CONFIGURATION = (DOCS / "configuration.md").read_text()
TOOLS = (DOCS / "tools.md").read_text()

(HUB_YAML,) = re.findall(
    r"^```\n(# hub\.yaml\n.*?)^```", CONFIGURATION, re.DOTALL | re.MULTILINE
)
SQL = re.findall(r"^```sql\n(.*?)^```", TOOLS, re.DOTALL | re.MULTILINE)

LIVE = {
    "mcphub_backend_state",
    "mcphub_backend_problem",
    "mcphub_backend_circuit_open",
    "mcphub_backend_connections",
    "mcphub_backend_connections_max",
    "mcphub_sessions_rejected_total",
    "mcphub_sessions",
    "mcphub_sessions_limit",
    "mcphub_calls_in_flight",
    "mcphub_draining",
    "mcphub_certificate_expiration_timestamp_seconds",
}


def test_the_file_of_the_page_has_the_defaults() -> None:
    shown = parse_hub_config(yaml.safe_load(HUB_YAML), "hub.yaml")

    rest = shown.model_dump(exclude={"backends"})
    assert rest == HubConfig().model_dump(exclude={"backends"})


def test_the_file_of_the_page_leaves_no_field_out() -> None:
    named = set(yaml.safe_load(HUB_YAML))

    assert named == {field.alias for field in HubConfig.model_fields.values()}


def test_each_variable_of_the_page_is_one() -> None:
    named = set(re.findall(r"MCPHUB_[A-Z_]+", CONFIGURATION))

    process = {f"MCPHUB_{name.upper()}" for name in RuntimeSettings.model_fields}
    assert process <= named <= process | set(list_variables())


def test_each_option_of_the_page_is_one() -> None:
    named = set(re.findall(r"`(--[a-z-]+)`", CONFIGURATION))

    assert named <= set(build_parser()._option_string_actions)


def test_each_metric_of_the_page_is_one() -> None:
    metrics = Metrics("0")
    SessionMetrics(metrics.registry)
    ExportState(metrics.registry, lambda: None)
    described = re.findall(r"^# TYPE (\S+)", metrics.render()[0].decode(), re.MULTILINE)
    part = CONFIGURATION.partition("## Metrics")[2]
    named = set(re.findall(r"`(mcp[a-z]*_[a-z_]+)`", part))
    labels = {"mcp_method_name"}

    process = {name for name in described if name.startswith("process_")}
    series = {name for name in described if not name.endswith("_created")} - process
    assert named - labels == series | LIVE


@pytest.mark.parametrize("sql", SQL)
def test_sql_of_the_tools_page_passes_the_guard(sql: str) -> None:
    assert check_sql(sql, 2).kind == "select"
