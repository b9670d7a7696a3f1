"""Single fields of the file by environment variables."""

from pathlib import Path

import pytest

from mcphub_server.config.environment import list_variables
from mcphub_server.config.hub import HubConfig, SessionMode
from mcphub_server.config.load import load_hub_config
from mcphub_server.config.runtime import RuntimeSettings
from mcphub_server.errors import ConfigError

FILE = "limits: {maxRows: 5, burst: 7}\nlogging: {level: debug}\n"


def load(folder: Path, text: str = FILE, **environ: str) -> HubConfig:
    path = folder / "hub.yaml"
    path.write_text(text)
    return load_hub_config(RuntimeSettings(config=path), environ)


def test_a_variable_goes_before_the_file(tmp_path):
    config = load(tmp_path, MCPHUB_LIMITS__MAX_ROWS="50")

    assert (config.limits.max_rows, config.limits.burst) == (50, 7)


def test_variables_reach_what_the_file_leaves_out(tmp_path):
    config = load(
        tmp_path,
        text="",
        MCPHUB_TRANSPORTS__STREAMABLE_HTTP__SESSIONS="Stateful",
        MCPHUB_TRANSPORTS__SSE__ENABLED="false",
        MCPHUB_PUBLIC_URL="https://mcp.example.com",
    )

    assert config.transports.streamable_http.sessions is SessionMode.STATEFUL
    assert config.transports.sse.enabled is False
    assert config.public_url == "https://mcp.example.com"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        pytest.param(
            "MCPHUB_LIMITS__MAX_ROWS",
            "many",
            "The environment variable MCPHUB_LIMITS__MAX_ROWS is wrong",
            id="no number",
        ),
        pytest.param(
            "MCPHUB_LIMITS__MAX_ROW",
            "5",
            "MCPHUB_LIMITS__MAX_ROW stands for no field",
            id="a typing error",
        ),
        pytest.param(
            "MCPHUB_BACKENDS__0__NAME", "a", "stands for no field", id="a list"
        ),
    ],
)
def test_a_bad_variable_is_named_without_its_value(tmp_path, name, value, message):
    with pytest.raises(ConfigError, match=message) as refused:
        load(tmp_path, **{name: value})

    assert "many" not in str(refused.value)


def test_a_broken_part_of_the_file_is_not_hidden_by_a_variable(tmp_path):
    with pytest.raises(ConfigError, match="limits is wrong"):
        load(tmp_path, text="limits: 5", MCPHUB_LIMITS__MAX_ROWS="50")


def test_what_kubernetes_puts_into_pods_is_not_taken_for_settings(tmp_path):
    config = load(
        tmp_path,
        MCPHUB_SERVICE_HOST="10.0.0.1",
        MCPHUB_SERVICE_PORT_MCP="8000",
        MCPHUB_PORT_8000_TCP="tcp://10.0.0.1:8000",
    )

    assert config == load(tmp_path)


def test_no_field_is_named_like_a_variable_of_the_process():
    process = {f"MCPHUB_{name.upper()}" for name in RuntimeSettings.model_fields}

    assert process.isdisjoint(list_variables())
