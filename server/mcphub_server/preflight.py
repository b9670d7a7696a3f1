"""`mcphub-server --check`: tries everything that is configured, once.

For an administrator who wants to know before clients do, and for the init step of a
deployment: a table for people, an exit code for programs.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from mcphub_server.auth.static_tokens import TokenFiles
from mcphub_server.backends.base import BackendState
from mcphub_server.config.hub import AuthType, HubConfig
from mcphub_server.config.runtime import RuntimeSettings
from mcphub_server.tools.registry import Registered, register

HEADER = ("WHAT", "KIND", "WHERE", "STATE", "MESSAGE")
OK = "ok"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table."""

    what: str
    kind: str
    where: str
    state: str
    message: str = ""

    @property
    def is_good(self) -> bool:
        """Tell whether nothing needs to be done."""
        return self.state in {OK, BackendState.CONNECTED.value}


async def check(config: HubConfig, runtime: RuntimeSettings) -> list[Finding]:
    """Return the findings in the order of the configuration."""
    backends = [register(each, runtime.secrets_dir) for each in config.enabled_backends]
    found = await asyncio.gather(*(check_backend(each) for each in backends))
    return [
        Finding("configuration", "file", runtime.config.name, OK),
        *found,
        await check_auth(config, runtime),
    ]


async def check_backend(registered: Registered) -> Finding:
    """Connect to one backend."""
    backend = registered.backend
    await backend.open()
    try:
        health = await backend.probe()
    finally:
        await backend.close()
    return Finding(
        backend.name, backend.kind, backend.endpoint, health.state.value, health.message
    )


async def check_auth(config: HubConfig, runtime: RuntimeSettings) -> Finding:
    """Check whether a client can authenticate."""
    kind = config.auth.type.value
    if config.auth.type is AuthType.NONE:
        return Finding("auth", kind, "", OK, "Every client is admitted.")
    if config.auth.type is AuthType.JWT:
        from mcphub_server.auth.jwt import JwtVerifier  # noqa: PLC0415

        where = config.auth.jwt.jwks_uri
        keys = await JwtVerifier(config.auth.jwt).count_keys()
        if keys:
            return Finding("auth", kind, where, OK, f"{keys} signing keys.")
        return Finding("auth", kind, where, "failed", "No signing key can be fetched.")
    return check_tokens(runtime)


def check_tokens(runtime: RuntimeSettings) -> Finding:
    """Check whether every client's token can be used."""
    tokens = TokenFiles(runtime.tokens_dir)
    tokens.refresh()
    kind, where, report = AuthType.TOKEN.value, str(runtime.tokens_dir), tokens.report()
    if report.problem is None:
        return Finding("auth", kind, where, OK, f"{len(tokens.clients)} clients.")
    sentence = f"{report.message[0].upper()}{report.message[1:]}."
    return Finding("auth", kind, where, "failed", sentence)


def render(findings: Sequence[Finding]) -> str:
    """Return the table."""
    rows = [
        HEADER,
        *((f.what, f.kind, f.where, f.state, f.message) for f in findings),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    )
