"""What is accepted as a certificate with its key."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)

from mcphub_server.tls.pair import Flaw, PairRefused, choose_pair, parse_pair
from tests.support.certificates import HOUR, NOW, YEAR, issue

GOOD, OTHER = issue(), issue()
LOCKED = ec.generate_private_key(ec.SECP256R1()).private_bytes(
    Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"passphrase")
)


def parse(issued):
    return parse_pair(issued.chain, issued.key)


@pytest.mark.parametrize(
    ("chain", "key", "flaw"),
    [
        pytest.param(
            GOOD.chain, OTHER.key, Flaw.KEY_MISMATCH, id="the key of another one"
        ),
        pytest.param(
            b"nothing", GOOD.key, Flaw.UNREADABLE_CERTIFICATE, id="no certificate"
        ),
        pytest.param(
            GOOD.key, GOOD.key, Flaw.UNREADABLE_CERTIFICATE, id="a key as certificate"
        ),
        pytest.param(
            GOOD.chain[:200], GOOD.key, Flaw.UNREADABLE_CERTIFICATE, id="half of one"
        ),
        pytest.param(GOOD.chain, b"nothing", Flaw.UNREADABLE_KEY, id="no key"),
        pytest.param(GOOD.chain, LOCKED, Flaw.UNREADABLE_KEY, id="a locked key"),
    ],
)
def test_what_no_server_can_use_is_refused(chain, key, flaw) -> None:
    with pytest.raises(PairRefused) as refused:
        parse_pair(chain, key)

    assert refused.value.flaw is flaw


def test_the_key_stays_out_of_texts() -> None:
    pair = parse(GOOD)

    assert GOOD.key.decode()[30:80] not in repr(pair)


def test_the_first_certificate_of_a_chain_counts() -> None:
    pair = parse_pair(GOOD.chain + issue(NOW - YEAR, NOW - HOUR).chain, GOOD.key)

    assert pair.not_after == NOW + YEAR


@pytest.mark.parametrize(
    ("begin", "end", "flaw"),
    [
        pytest.param(NOW - HOUR, NOW + HOUR, None, id="valid"),
        pytest.param(NOW - YEAR, NOW - HOUR, Flaw.EXPIRED, id="expired"),
        pytest.param(NOW + HOUR, NOW + YEAR, Flaw.NOT_YET_VALID, id="not valid yet"),
    ],
)
def test_a_certificate_holds_for_a_time(begin, end, flaw) -> None:
    assert parse(issue(begin, end)).find_flaw(NOW) is flaw


VALID = parse(GOOD)
NEWER = parse(OTHER)
EXPIRED = parse(issue(NOW - YEAR, NOW - HOUR))
LATER = parse(issue(NOW + HOUR, NOW + YEAR))


@pytest.mark.parametrize(
    ("used", "found", "chosen"),
    [
        pytest.param(None, VALID, VALID, id="the first one"),
        pytest.param(None, EXPIRED, EXPIRED, id="an expired one is better than none"),
        pytest.param(VALID, NEWER, NEWER, id="a renewal"),
        pytest.param(VALID, EXPIRED, VALID, id="an expired one replaces no valid one"),
        pytest.param(VALID, LATER, VALID, id="a future one replaces no valid one"),
        pytest.param(EXPIRED, LATER, LATER, id="of two that are refused, the newer"),
    ],
)
def test_the_better_certificate_is_used(used, found, chosen) -> None:
    assert choose_pair(used, found, NOW) is chosen


def test_a_future_certificate_is_used_once_it_is_valid() -> None:
    assert choose_pair(VALID, LATER, NOW + 2 * timedelta(hours=1)) is LATER
