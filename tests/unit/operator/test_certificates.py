"""What the operator sees in a Secret with a certificate."""

import pytest

from mcphub_operator.certificates import Certificate, Flaw, parse_certificate
from tests.support.certificates import HOUR, NOW, YEAR, issue

GOOD = issue()


def test_of_a_good_one_its_times_are_known():
    assert parse_certificate(GOOD.chain, GOOD.key) == Certificate(
        None, NOW - HOUR, NOW + YEAR
    )


@pytest.mark.parametrize(
    ("chain", "key", "flaw"),
    [
        pytest.param(b"", GOOD.key, Flaw.CERTIFICATE, id="an empty certificate"),
        pytest.param(GOOD.key, GOOD.key, Flaw.CERTIFICATE, id="a key in its place"),
        pytest.param(GOOD.chain, b"\xff", Flaw.KEY, id="a key that is no text"),
        pytest.param(GOOD.chain, GOOD.chain, Flaw.KEY, id="a certificate as key"),
        pytest.param(GOOD.chain, issue().key, Flaw.MISMATCH, id="another's key"),
    ],
)
def test_what_no_server_can_use_has_a_flaw(chain, key, flaw):
    assert parse_certificate(chain, key).flaw is flaw
