"""What the status says of a hub's certificate, and what a bad one holds back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mcphub_operator.certificates import Certificate, Flaw
from mcphub_operator.desired import build_desired, is_held_back
from mcphub_operator.observed import MissingKey, UserSecrets
from mcphub_operator.status.certificate import find_certificate_seconds
from mcphub_operator.status.condition_model import find_condition
from tests.support.observed import DEPLOYMENT, NOW, find_child, hub, observe
from tests.support.statuses import condition, rolled, status_of

HOUR = timedelta(hours=1)
TLS = {"tls": {"secretRef": {"name": "shop-tls"}}}
VALID = Certificate(None, NOW - HOUR, NOW + HOUR)
EXPIRED = Certificate(None, NOW - 2 * HOUR, NOW - HOUR)
LATER = Certificate(None, NOW + HOUR, NOW + 2 * HOUR)


def serving(secrets):
    """A hub that rolled out with a good certificate, and what its Secret is now."""
    good = observe(hub(**TLS), user_secrets=UserSecrets("0123", (), VALID))
    return replace(rolled(good, ready=1), user_secrets=secrets)


@pytest.mark.parametrize(
    ("secrets", "expected", "words"),
    [
        pytest.param(
            UserSecrets("0123", (), VALID),
            ("True", "CertificateAccepted"),
            "the certificate in Secret shop-tls is valid until 2026-11-21T09:00:00Z",
            id="valid",
        ),
        pytest.param(
            UserSecrets("0123", (), EXPIRED),
            ("False", "CertificateExpired"),
            "expired at 2026-11-21T07:00:00Z",
            id="expired",
        ),
        pytest.param(
            UserSecrets("0123", (), LATER),
            ("False", "CertificateNotYetValid"),
            "not valid before 2026-11-21T09:00:00Z",
            id="not valid yet",
        ),
        pytest.param(
            UserSecrets("0123", (), Certificate(Flaw.MISMATCH)),
            ("False", "CertificateKeyMismatch"),
            "Secret shop-tls: tls.key does not fit the certificate in tls.crt",
            id="the key of another certificate",
        ),
        pytest.param(
            UserSecrets("0123", (), Certificate(Flaw.KEY)),
            ("False", "CertificateInvalid"),
            "Secret shop-tls: tls.key is no private key",
            id="no key",
        ),
        pytest.param(
            UserSecrets("0123", (MissingKey("shop-tls"),)),
            ("False", "SecretMissing"),
            "Secret shop-tls does not exist",
            id="no Secret",
        ),
        pytest.param(
            UserSecrets("0123", (MissingKey("shop-tls", "tls.key"),)),
            ("False", "SecretMissing"),
            "Secret shop-tls has no key tls.key",
            id="a Secret without a key",
        ),
    ],
)
def test_the_condition_says_which(secrets, expected, words):
    status = status_of(serving(secrets))

    told = find_condition(status["conditions"], "CertificateValid") or {}
    assert condition(status, "CertificateValid") == expected
    assert words in told["message"]
    assert condition(status, "Ready")[0] == "True"  # pods serve on
    if expected[0] == "False":
        assert condition(status, "Ready")[1] == expected[1]


def test_a_hub_without_tls_has_no_such_condition():
    status = status_of(rolled(observe(), ready=1))

    assert find_condition(status["conditions"], "CertificateValid") is None


@pytest.mark.parametrize(
    ("certificate", "held"),
    [
        pytest.param(VALID, False, id="a good one does not"),
        pytest.param(EXPIRED, False, id="an expired one does not"),
        pytest.param(Certificate(Flaw.MISMATCH), True, id="one without its key does"),
    ],
)
def test_what_new_pods_cannot_use_holds_the_rollout_back(certificate, held):
    observed = serving(UserSecrets("0123", (), certificate))

    assert is_held_back(observed) is held
    assert (DEPLOYMENT in build_desired(observed).kept) is held


def test_a_status_is_due_again_when_the_certificate_ends():
    assert find_certificate_seconds(serving(UserSecrets("", (), VALID))) == 3600
    assert find_certificate_seconds(serving(UserSecrets("", (), LATER))) == 3600
    assert find_certificate_seconds(serving(UserSecrets("", (), EXPIRED))) == 0


def test_a_renewal_rolls_no_pod():
    def template(certificate):
        secrets = UserSecrets("0123", (), certificate)
        observed = observe(hub(**TLS), user_secrets=secrets)
        return find_child(observed, "Deployment")["spec"]["template"]

    renewed = Certificate(None, NOW, NOW + 2 * HOUR)
    assert template(VALID) == template(renewed)


def test_the_pods_get_both_files_and_clients_https():
    observed = serving(UserSecrets("0123", (), VALID))

    pod = find_child(observed, "Deployment")["spec"]["template"]["spec"]
    service = find_child(observed, "Service")["spec"]
    config = find_child(observed, "ConfigMap")["data"]["hub.yaml"]
    (volume,) = [v for v in pod["volumes"] if v["name"] == "tls"]
    assert [item["key"] for item in volume["secret"]["items"]] == ["tls.crt", "tls.key"]
    assert volume["secret"]["secretName"] == "shop-tls"
    assert service["ports"][0]["appProtocol"] == "https"
    assert "tls:\n  enabled: true" in config
    endpoints = status_of(observed)["endpoints"]
    assert endpoints["mcp"] == "https://team-data.ai.svc:8000/mcp"


@pytest.mark.parametrize(
    ("port", "url"),
    [
        pytest.param(443, "https://team-data.ai.svc/mcp", id="443 goes without saying"),
        pytest.param(80, "https://team-data.ai.svc:80/mcp", id="80 does not"),
    ],
)
def test_the_url_has_the_port_unless_it_is_that_of_https(port, url):
    tls = hub(**TLS, service={"port": port})
    observed = observe(tls, user_secrets=UserSecrets("0123", (), VALID))

    assert status_of(rolled(observed, ready=1))["endpoints"]["mcp"] == url
