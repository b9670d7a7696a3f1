"""How a connection is made."""

import pytest

from mcphub_server.backends.postgres.connecting import check_release, strip_brackets
from mcphub_server.errors import BackendReason, BackendUnavailable


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("[::1]", "::1"),
        ("[fd00::5]", "fd00::5"),
        ("::1", "::1"),
        ("db.data.svc", "db.data.svc"),
        ("[db]", "[db]"),
        ("[::1", "[::1"),
    ],
)
def test_a15_an_ipv6_address_may_have_its_brackets(written, host):
    assert strip_brackets(written) == host


def test_a_server_that_is_too_old_is_named_as_such():
    with pytest.raises(BackendUnavailable, match="PostgreSQL 11; 12 and newer") as told:
        check_release("db", 11)

    assert told.value.reason is BackendReason.UNSUPPORTED_VERSION


@pytest.mark.parametrize("release", [12, 15, 18])
def test_newer_servers_pass(release):
    check_release("db", release)
