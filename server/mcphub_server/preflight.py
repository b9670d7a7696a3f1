"""`mcphub-server --check`: tries everything that is configured, once.

For an administrator who wants to know before clients do, and for the init step of a
deployment: a table for people, an exit code for programs.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from mcphub_server.auth.resource import find_audiences
from mcphub_server.auth.static_tokens import TokenFiles
from mcphub_server.backends.base import Backend, BackendState
from mcphub_server.config.hub import AuthType, HubConfig
from mcphub_server.config.live import FILE_NAME, LiveConfig, load_live
from mcphub_server.config.runtime import RuntimeSettings
from mcphub_server.errors import BadArgument, ConfigError, Forbidden, ToolFailure
from mcphub_server.results.cursors import CursorSigner
from mcphub_server.tls.serving import NO_FILES, now, read_files
from mcphub_server.tools.context import ToolContext
from mcphub_server.tools.declared.entries import (
    DeclaredEntry,
    EntryParts,
    ToolState,
    build_entries,
)
from mcphub_server.tools.prompts.catalog import PromptVerdict, judge_prompts
from mcphub_server.tools.registry import Registered, build_builders, register

HEADER = ("WHAT", "KIND", "WHERE", "STATE", "MESSAGE")
OK = "ok"
FAILED = "failed"

Result = TypeVar("Result")


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
    live, problems = read_live(runtime)
    parts = EntryParts(
        build_builders(backends, build_context(config)),
        [each.name for each in config.backends if not each.enabled],
        lambda _: False,
        lambda _: None,
    )
    entries = build_entries(live, parts)
    tried: dict[str, Finding] = {}
    found = await asyncio.gather(
        *(check_backend(each, entries, tried) for each in backends)
    )
    enabled = [each.backend.name for each in backends]
    prompts = judge_prompts(live, enabled, parts.hidden)
    return [
        Finding("configuration", "file", runtime.config.name, OK),
        *problems,
        *found,
        *(tried.get(entry.name) or describe_tool(entry) for entry in entries),
        *(describe_prompt(each.verdict) for each in prompts),
        await check_auth(config, runtime),
        *check_certificate(config, runtime),
        *await check_traces(config, runtime),
    ]


def read_live(runtime: RuntimeSettings) -> tuple[LiveConfig, list[Finding]]:
    """Read the declared tools, the prompts and the access rules."""
    path = runtime.config.with_name(FILE_NAME)
    try:
        return load_live(path), []
    except ConfigError as error:
        return LiveConfig(), [Finding("tools", "file", path.name, FAILED, str(error))]


def build_context(config: HubConfig) -> ToolContext:
    """Make what statements are built with, without limits on concurrency."""

    async def run(backend: Backend, call: Callable[[], Awaitable[Result]]) -> Result:  # noqa: ARG001 -- the protocol's
        return await call()

    return ToolContext(
        limits=config.limits,
        cursors=CursorSigner(b""),
        run=run,
        principal=lambda: "",
        note=lambda **_: None,
    )


def describe_tool(entry: DeclaredEntry) -> Finding:
    """Say whether a declared tool can be used."""
    verdict = entry.verdict
    state = OK if verdict.state is ToolState.READY else verdict.state.value
    return Finding(entry.name, "tool", entry.backend, state, verdict.message)


def describe_prompt(verdict: PromptVerdict) -> Finding:
    """Say whether a prompt can be used."""
    state = FAILED if verdict.message else OK
    return Finding(verdict.name, "prompt", verdict.backend, state, verdict.message)


async def check_backend(
    registered: Registered,
    entries: Sequence[DeclaredEntry],
    tried: dict[str, Finding],
) -> Finding:
    """Connect to one backend, and try its declared tools; add what came of them."""
    backend = registered.backend
    await backend.open()
    try:
        health = await backend.probe()
        for entry in entries:
            if entry.backend == backend.name:
                tried[entry.name] = await try_tool(entry)
    finally:
        await backend.close()
    return Finding(
        backend.name, backend.kind, backend.endpoint, health.state.value, health.message
    )


async def try_tool(entry: DeclaredEntry) -> Finding:
    """Hold a tool against its database, and run it if its defaults are enough."""
    await entry.check()
    found = describe_tool(entry)
    if entry.tool is None or not found.is_good:
        return found
    try:
        await entry.tool.run_with_defaults()
    except (BadArgument, Forbidden):
        return replace(found, message="Not run: it needs arguments or a caller.")
    except ToolFailure as failure:
        return replace(found, state=FAILED, message=str(failure))
    return replace(found, message="It ran with its defaults.")


async def check_auth(config: HubConfig, runtime: RuntimeSettings) -> Finding:
    """Check whether a client can authenticate."""
    kind = config.auth.type.value
    if config.auth.type is AuthType.NONE:
        return Finding("auth", kind, "", OK, "Every client is admitted.")
    if config.auth.type is AuthType.JWT:
        from mcphub_server.auth.jwt import JwtVerifier  # noqa: PLC0415

        where = config.auth.jwt.jwks_uri
        keys = await JwtVerifier(config.auth.jwt, find_audiences(config)).count_keys()
        if keys:
            return Finding("auth", kind, where, OK, f"{keys} signing keys.")
        return Finding("auth", kind, where, FAILED, "No signing key can be fetched.")
    return check_tokens(runtime)


def check_tokens(runtime: RuntimeSettings) -> Finding:
    """Check whether every client's token can be used."""
    tokens = TokenFiles(runtime.tokens_dir)
    tokens.refresh()
    kind, where, report = AuthType.TOKEN.value, str(runtime.tokens_dir), tokens.report()
    if report.problem is None:
        return Finding("auth", kind, where, OK, f"{len(tokens.clients)} clients.")
    sentence = f"{report.message[0].upper()}{report.message[1:]}."
    return Finding("auth", kind, where, FAILED, sentence)


def check_certificate(config: HubConfig, runtime: RuntimeSettings) -> Iterator[Finding]:
    """Yield whether clients can be served over TLS, where they shall be."""
    if not config.tls.enabled:
        return
    found = read_files(runtime.tls_dir, NO_FILES)
    flaw = found.pair.find_flaw(now()) if found.pair else found.flaw
    where = str(runtime.tls_dir)
    if flaw is not None:
        sentence = f"{flaw.value[0].upper()}{flaw.value[1:]}."
        yield Finding("certificate", "TLS", where, FAILED, sentence)
    elif found.pair is not None:
        until = f"Valid until {found.pair.not_after:%Y-%m-%d %H:%M} UTC."
        yield Finding("certificate", "TLS", where, OK, until)


async def check_traces(config: HubConfig, runtime: RuntimeSettings) -> list[Finding]:
    """Check whether the collector takes spans, where they shall be sent."""
    otlp = config.observability.otlp
    if not otlp.endpoint:
        return []
    from mcphub_server.tracing.otlp import find_export_problem  # noqa: PLC0415

    problem = await asyncio.to_thread(find_export_problem, otlp, runtime)
    if not problem:
        taken = "It takes spans."
        return [Finding("traces", "OTLP", otlp.endpoint, OK, taken)]
    sentence = f"{problem[0].upper()}{problem[1:].rstrip('.')}."
    return [Finding("traces", "OTLP", otlp.endpoint, FAILED, sentence)]


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
