"""What `--check` says of a certificate."""

import pytest

from mcphub_server.config.hub import HubConfig
from mcphub_server.config.runtime import RuntimeSettings
from mcphub_server.preflight import check_certificate
from tests.support.certificates import HOUR, NOW, issue

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
