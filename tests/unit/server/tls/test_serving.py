"""Which certificate a client sees, by handshakes in memory."""

import ssl
import warnings

import pytest

from mcphub_server.tls.contexts import build_client_context
from mcphub_server.tls.pair import Flaw
from mcphub_server.tls.peers import PEER_NAME, is_peer
from mcphub_server.tls.serving import ServedCertificate, read_files
from tests.support.certificates import HOUR, NOW, YEAR, issue

SIGNING_KEY = b"a key that all replicas share"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "tls"


def serve(folder, clock=lambda: NOW):
    return ServedCertificate(folder, lambda: SIGNING_KEY, clock)


def reread(served, folder):
    served.take(read_files(folder, served._files))


def shake_hands(served, name="mcp.example.com", context=None):
    """Return the certificate that a client gets, in DER."""
    context = context or build_client_context()
    sides = [ssl.MemoryBIO() for _ in range(4)]
    client = context.wrap_bio(sides[0], sides[1], server_hostname=name)
    server = served.context.wrap_bio(sides[2], sides[3], server_side=True)
    for _ in range(6):
        for end, source, sink in (
            (client, sides[1], sides[2]),
            (server, sides[3], sides[0]),
        ):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                pass
            finally:
                sink.write(source.read())
    assert client.version() in {"TLSv1.2", "TLSv1.3"}
    return client.getpeercert(binary_form=True)


def der(issued):
    return ssl.PEM_cert_to_DER_cert(issued.chain.decode())


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("mcp.example.com", id="a client that names the server"),
        pytest.param(None, id="a client that does not"),
    ],
)
def test_a_client_sees_the_certificate_of_the_files(folder, name) -> None:
    issued = issue()
    issued.write(folder)

    assert shake_hands(serve(folder), name) == der(issued)


def test_a_renewed_certificate_is_seen_by_the_next_client(folder) -> None:
    issue().write(folder)
    served, renewed = serve(folder), issue()

    renewed.write(folder)
    reread(served, folder)

    assert shake_hands(served) == der(renewed)
    assert served.problem is None


def spoil(folder, kind):
    if kind is Flaw.KEY_MISMATCH:
        (folder / "tls.key").write_bytes(issue().key)
    elif kind is Flaw.MISSING:
        (folder / "tls.crt").unlink()
    elif kind is Flaw.EXPIRED:
        issue(NOW - YEAR, NOW - HOUR).write(folder)
    else:
        issue(NOW + HOUR, NOW + YEAR).write(folder)


@pytest.mark.parametrize(
    "flaw", [Flaw.KEY_MISMATCH, Flaw.MISSING, Flaw.EXPIRED, Flaw.NOT_YET_VALID]
)
def test_a_certificate_that_works_stays_in_use(folder, flaw) -> None:
    issued = issue()
    issued.write(folder)
    served = serve(folder)

    spoil(folder, flaw)
    reread(served, folder)

    assert shake_hands(served) == der(issued)
    assert served.problem is flaw


def test_a_server_without_a_certificate_waits_for_one(folder) -> None:
    served, begun = serve(folder), []
    served.when_usable(lambda: begun.append(True))

    with pytest.raises(ssl.SSLError):
        shake_hands(served)
    assert (served.problem, begun) == (Flaw.MISSING, [])

    issue().write(folder)
    reread(served, folder)

    assert shake_hands(served)
    assert begun == [True]


def build_old_context():
    context = build_client_context()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1_1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


def test_an_old_protocol_is_refused(folder) -> None:
    issue().write(folder)

    with pytest.raises(ssl.SSLError, match="UNSUPPORTED_PROTOCOL"):
        shake_hands(serve(folder), context=build_old_context())


def test_a_replica_gets_a_certificate_that_only_replicas_can_have(folder) -> None:
    issued = issue()
    issued.write(folder)

    shown = shake_hands(serve(folder), PEER_NAME)

    assert is_peer(shown, (SIGNING_KEY,))
    assert is_peer(shown, (b"a newer key", SIGNING_KEY))


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(None, id="none"),
        pytest.param(b"no certificate", id="something else"),
        pytest.param(der(issue()), id="the certificate of the hub itself"),
    ],
)
def test_no_other_certificate_is_one_of_a_replica(shown) -> None:
    assert not is_peer(shown, (SIGNING_KEY,))


def test_another_hub_has_another_key(folder) -> None:
    issue().write(folder)

    shown = shake_hands(serve(folder), PEER_NAME)

    assert not is_peer(shown, (b"the key of another hub",))
