"""How a connection is made."""

import pytest

from mcphub_server.backends.postgres.connecting import strip_brackets


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
