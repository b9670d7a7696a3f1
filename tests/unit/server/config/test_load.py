"""A bad configuration is one sentence that names the field."""

from pathlib import Path

import pytest

from mcphub_server.config.hub import SessionMode
from mcphub_server.config.load import load_hub_config, load_runtime
from mcphub_server.config.runtime import RuntimeSettings
from mcphub_server.errors import ConfigError


def load(folder: Path, text: str, **settings: str) -> object:
    path = folder / "hub.yaml"
    path.write_text(text)
    return load_hub_config(RuntimeSettings(config=path, **settings))


@pytest.mark.parametrize(
    ("text", "part"),
    [
        pytest.param("limits: {maxRow: 5}", "limits.maxRow is not a field", id="typo"),
        pytest.param("limits: {maxRows: 0}", "limits.maxRows is wrong", id="range"),
        pytest.param("backends: [{name: Big}]", "backends[0].name", id="bad name"),
        pytest.param("backends: [{name: a}]", "needs exactly one of", id="no kind"),
        pytest.param(
            "backends: [{name: a, postgres: {host: h}}]",
            "backends[0].postgres.database is missing",
            id="missing field",
        ),
        pytest.param(
            "backends: [{name: a, neo4j: {uri: bolt://a}}, "
            "{name: a, neo4j: {uri: bolt://b}}]",
            "the name a is used twice",
            id="two of one name",
        ),
        pytest.param("auth: {type: JWT}", "needs jwt.issuer", id="JWT without issuer"),
        pytest.param("a: [", "line 1: this is not YAML", id="no YAML"),
        pytest.param("- 1", "needs fields such as backends", id="no mapping"),
        pytest.param("publicURL: ftp://x", "publicURL is wrong", id="not http"),
        pytest.param("trustedProxies: [x]", "trustedProxies[0]", id="no CIDR"),
        pytest.param(
            "backends: [{name: q, qdrant: {url: 'http://u:hunter2@q:6333'}}]",
            "must not carry credentials",
            id="a password in an address",
        ),
    ],
)
def test_a_bad_setting_is_one_sentence(tmp_path: Path, text: str, part: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load(tmp_path, text)

    message = str(raised.value)
    assert part in message
    assert message.endswith(".")
    assert "\n" not in message
    assert "hunter2" not in message


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    runtime = RuntimeSettings(config=tmp_path / "none.yaml")

    with pytest.raises(ConfigError, match=r"none\.yaml does not exist"):
        load_hub_config(runtime)


def test_fields_are_called_as_in_the_custom_resource(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        "{publicURL: 'https://hub.example.com', transports: {streamableHTTP: "
        "{sessions: Stateful}}, auth: {type: JWT, jwt: {issuer: i, audience: a, "
        "jwksURI: 'https://i/keys'}}}",
    )

    assert config.public_url == "https://hub.example.com"
    assert config.transports.streamable_http.sessions is SessionMode.STATEFUL
    assert config.auth.jwt.jwks_uri == "https://i/keys"


def test_an_empty_file_is_a_hub_without_backends(tmp_path: Path) -> None:
    config = load(tmp_path, "")

    assert config.backends == ()


def test_a_disabled_backend_is_not_served(tmp_path: Path) -> None:
    config = load(
        tmp_path, "backends: [{name: a, enabled: false, neo4j: {uri: 'bolt://a'}}]"
    )

    assert config.enabled_backends == ()


def test_the_log_level_of_the_environment_wins(tmp_path: Path) -> None:
    config = load(tmp_path, "logging: {level: error}", log_level="DEBUG")

    assert config.logging.level == "debug"


def test_a_bad_environment_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCPHUB_PORT", "eighty")

    with pytest.raises(ConfigError, match="MCPHUB_PORT is wrong"):
        load_runtime({})


def test_a_longer_statement_timeout_is_cut_to_what_proxies_bear(tmp_path: Path) -> None:
    config = load(tmp_path, "limits: {statementTimeoutSeconds: 3600}")

    assert config.limits.statement_timeout_seconds == 38
