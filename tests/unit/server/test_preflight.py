"""What `--check` says of a certificate, and of a collector of traces."""

from pathlib import Path
from typing import Any

import pytest

from mcphub_server.config.hub import HubConfig
from mcphub_server.config.runtime import RuntimeSettings
from mcphub_server.preflight import Finding, check_certificate, check_traces
from tests.support.certificates import HOUR, NOW, issue
from tests.support.otlp import receiving
from tools.ports import reserve_port

WITH_TLS = HubConfig.model_validate({"tls": {"enabled": True}})


def check(folder, config=WITH_TLS):
    return list(check_certificate(config, RuntimeSettings(tls_dir=folder)))


def test_without_tls_nothing_is_said(tmp_path) -> None:
    assert check(tmp_path, HubConfig()) == []


def test_a_good_certificate_is_told_with_its_end(tmp_path) -> None:
    issue().write(tmp_path)

    (finding,) = check(tmp_path)

    assert finding.is_good
    assert finding.message.startswith("Valid until ")


@pytest.mark.parametrize(
    ("issued", "message"),
    [
        pytest.param(None, "A file is missing.", id="no files"),
        pytest.param(
            issue(NOW - 2 * HOUR, NOW - HOUR),
            "The certificate has expired.",
            id="expired",
        ),
    ],
)
def test_what_is_wrong_is_told(tmp_path, issued, message) -> None:
    if issued is not None:
        issued.write(tmp_path)

    (finding,) = check(tmp_path)

    assert not finding.is_good
    assert finding.message == message


async def check_endpoint(endpoint: str, **settings: Any) -> list[Finding]:
    spec = {"observability": {"otlp": {"endpoint": endpoint}}}
    config = HubConfig.model_validate(spec)
    return await check_traces(config, RuntimeSettings(**settings))


async def test_without_traces_nothing_is_said_of_them() -> None:
    assert await check_endpoint("") == []


async def test_a_collector_that_takes_spans_is_well(tmp_path: Path) -> None:
    folder = tmp_path / "otlp-exporter"
    folder.mkdir()
    (folder / "headers").write_text("authorization=Bearer%20x")
    with receiving() as receiver:
        (finding,) = await check_endpoint(receiver.url, secrets_dir=tmp_path)

    assert finding == Finding("traces", "OTLP", receiver.url, "ok", "It takes spans.")
    assert receiver.headers[0]["authorization"] == "Bearer x"
    assert receiver.spans == []


@pytest.mark.parametrize(
    ("endpoint", "sentence"),
    [
        pytest.param(
            "http://no-such-name.invalid:4318",
            "The name of the endpoint does not resolve.",
            id="a name that does not resolve",
        ),
        pytest.param(
            f"http://127.0.0.1:{reserve_port()}",
            "The endpoint refuses connections.",
            id="nothing that listens",
        ),
    ],
)
async def test_a_collector_that_is_away_is_told_in_a_sentence(
    endpoint: str, sentence: str
) -> None:
    (finding,) = await check_endpoint(endpoint)

    assert not finding.is_good
    assert (finding.where, finding.message) == (endpoint, sentence)


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (401, "The endpoint refuses the headers of the Secret."),
        (404, "The endpoint does not accept the spans."),
    ],
)
async def test_a_collector_that_refuses_is_told_in_a_sentence(
    status: int, sentence: str
) -> None:
    with receiving() as receiver:
        receiver.status = status
        (finding,) = await check_endpoint(receiver.url)

    assert (finding.state, finding.message) == ("failed", sentence)


async def test_headers_that_cannot_be_read_are_told_without_them(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "otlp-exporter"
    folder.mkdir()
    (folder / "headers").write_text("canary")

    (finding,) = await check_endpoint("http://127.0.0.1:9", secrets_dir=tmp_path)

    assert finding.message.startswith("The secret file otlp-exporter/headers must hold")
    assert "canary" not in finding.message
