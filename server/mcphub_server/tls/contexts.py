"""TLS contexts: what Python's `ssl` makes of certificates in memory.

`ssl` reads certificates from files only. These have no name and are in memory: a key
must not be written to a disk.
"""

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from mcphub_server.tls.pair import Flaw, Pair, PairRefused

PROTOCOLS = ["http/1.1"]


def build_server_context(pair: Pair | None = None) -> ssl.SSLContext:
    """Make a server's context for TLS 1.2 and later.

    Args:
        pair: The certificate; without one, a callback has to bring it.

    Raises:
        PairRefused: OpenSSL does not accept it.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(PROTOCOLS)
    if pair is not None:
        load_pair(context, pair)
    return context


def build_client_context() -> ssl.SSLContext:
    """Make a client's context that leaves the check of the other end to its caller."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def load_pair(context: ssl.SSLContext, pair: Pair) -> None:
    """Give a context its certificate."""
    with memory_file(pair.chain) as chain, memory_file(pair.key) as key:
        try:
            context.load_cert_chain(chain, key, password=refuse_passphrase)
        except ssl.SSLError:
            raise PairRefused(Flaw.UNREADABLE_CERTIFICATE) from None


def refuse_passphrase() -> str:
    """Answer for OpenSSL, which otherwise asks the terminal."""
    return ""


@contextmanager
def memory_file(content: bytes) -> Iterator[str]:
    """Yield a path to a file that is in memory only."""
    number = os.memfd_create("certificate", os.MFD_CLOEXEC)
    try:
        os.write(number, content)
        yield f"/proc/self/fd/{number}"
    finally:
        os.close(number)
