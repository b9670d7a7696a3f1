"""Loopback ports for programs that must be told a port before they start.

A port that the kernel chose for a socket that is closed again can go to any other
socket before the program opens it, outgoing connections included. These ports come
from a range outside the kernel's own, and one counter for all processes of a user
goes round in it: a port is given out again only after all the others.
"""

import fcntl
import os
import socket
import tempfile
from contextlib import suppress
from pathlib import Path

FIRST_PORT = 15_000
LAST_PORT = 29_999
"""Below NodePorts (30000) and below Linux' ephemeral ports (32768)."""


def reserve_port() -> int:
    """Return a port that nothing else listens on and nothing else is given."""
    (port,) = reserve_ports(1)
    return port


def reserve_ports(count: int, counter: Path | None = None) -> list[int]:
    """Return that many ports; `counter` is the file that remembers the last one.

    Raises:
        OSError: the whole range is in use.
    """
    path = counter or Path(tempfile.gettempdir()) / f"mcphub-ports-{os.getuid()}"
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        text = file.read()
        ports = _find_free(int(text) if text else LAST_PORT, count)
        file.seek(0)
        file.write(f"{ports[-1]}\n")
        file.truncate()
    return ports


def _find_free(last: int, count: int) -> list[int]:
    """Return the next free ports after the last one given out."""
    size = LAST_PORT - FIRST_PORT + 1
    found: list[int] = []
    for step in range(1, size + 1):
        port = FIRST_PORT + (last - FIRST_PORT + step) % size
        if _is_free(port):
            found.append(port)
        if len(found) == count:
            return found
    raise OSError(f"the ports from {FIRST_PORT} to {LAST_PORT} are all in use")


def _is_free(port: int) -> bool:
    with socket.socket() as probe, suppress(OSError):
        probe.bind(("0.0.0.0", port))  # noqa: S104 -- taken on any address is taken
        return True
    return False
