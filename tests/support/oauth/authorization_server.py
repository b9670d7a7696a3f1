"""oidc-provider from npm, as a process.

https://github.com/panva/node-oidc-provider, certified for OpenID Connect, with dynamic
client registration (RFC 7591) and resource indicators (RFC 8707).
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.node.clients import install_packages
from tests.support.node.runtime import find_node

SOURCES = Path(__file__).parent
SCOPE = "mcphub.read"

EXPIRED = "expired"
"""The login of a person whose tokens are over when they are issued."""

UNSCOPED = "unscoped"
"""The login of a person whose tokens grant nothing."""


@dataclass(frozen=True, slots=True)
class AuthorizationServer:
    """Where it is."""

    issuer: str

    @property
    def keys(self) -> str:
        """The URL of its signing keys."""
        return f"{self.issuer}/jwks"


@contextmanager
def running_authorization_server(folder: Path) -> Iterator[AuthorizationServer]:
    """Run it until the block ends; its log goes to the folder."""
    modules = install_packages(
        SOURCES, "authorization-server", "authorization server", "10 MB"
    )
    node = find_node().node
    program: list[str | Path] = [node, SOURCES / "server.mjs", modules, SCOPE]
    with (
        (folder / "authorization-server.log").open("wb") as log,
        subprocess.Popen(
            program, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        assert process.stdout is not None
        try:
            issuer = process.stdout.readline().strip()
            assert issuer, (folder / "authorization-server.log").read_text()
            yield AuthorizationServer(issuer)
        finally:
            process.terminate()
