"""The declared tools as they were read, each with its state.

A tool is Invalid by its text alone, or because the database refuses it; Unchecked until
the database has been asked; else Ready. An Invalid tool is neither listed nor callable,
and takes no other with it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

import structlog

from mcphub_server.config.live import BadEntry, LiveConfig
from mcphub_server.config.tools import DeclaredToolConfig
from mcphub_server.errors import BackendUnavailable, ConfigError, Rejected, ToolFailure
from mcphub_server.tools.catalog import CatalogEntry
from mcphub_server.tools.declared.arguments import Arguments
from mcphub_server.tools.declared.tool import DeclaredStatement, DeclaredTool

log = structlog.get_logger(__name__)

LONGEST_MESSAGE = 400


class ToolState(StrEnum):
    """The words of the McpHub's status."""

    READY = "Ready"
    INVALID = "Invalid"
    UNCHECKED = "Unchecked"


class ToolReason(StrEnum):
    """Why a tool is not Ready."""

    NOT_CHECKED = "NotChecked"
    BACKEND_UNAVAILABLE = "BackendUnavailable"
    UNREADABLE = "Unreadable"
    ALREADY_EXISTS = "AlreadyExists"
    UNKNOWN_BACKEND = "UnknownBackend"
    BAD_PARAMETERS = "BadParameters"
    STATEMENT_REJECTED = "StatementRejected"
    DATABASE_REFUSED = "DatabaseRefused"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of a tool; the message repeats no value and no statement."""

    state: ToolState
    reason: ToolReason | None = None
    message: str = ""


READY = Verdict(ToolState.READY)
UNCHECKED = Verdict(
    ToolState.UNCHECKED, ToolReason.NOT_CHECKED, "The database was not asked yet."
)

BuildStatement = Callable[[DeclaredToolConfig], DeclaredStatement]
"""Builds a statement for one backend; raises Rejected."""


class Unusable(Exception):
    """A tool that cannot be built, with its verdict."""

    def __init__(self, reason: ToolReason, message: str) -> None:
        super().__init__(message)
        self.verdict = Verdict(ToolState.INVALID, reason, message[:LONGEST_MESSAGE])


@dataclass(slots=True)
class DeclaredEntry:
    """One declared tool.

    Attributes:
        name: Its name.
        backend: The backend that it reads.
        verdict: What is known of it.
        tool: What clients call; None if it could not be built.
        statement: What the database is asked about; likewise.
    """

    name: str
    backend: str
    verdict: Verdict = UNCHECKED
    tool: DeclaredTool | None = None
    statement: DeclaredStatement | None = None

    @property
    def is_offered(self) -> bool:
        """Return whether clients see it."""
        return self.tool is not None and self.verdict.state is not ToolState.INVALID

    async def check(self) -> bool:
        """Ask the database about it; return whether the verdict changed."""
        if self.statement is None:
            return False
        before, self.verdict = self.verdict, await judge(self.name, self.statement)
        return before != self.verdict


async def judge(name: str, statement: DeclaredStatement) -> Verdict:
    """Return what the database says of a statement."""
    try:
        await statement.check()
    except Rejected as error:
        return invalid(ToolReason.STATEMENT_REJECTED, str(error))
    except BackendUnavailable as error:
        return Verdict(ToolState.UNCHECKED, ToolReason.BACKEND_UNAVAILABLE, str(error))
    except ToolFailure as error:
        if error.retry_after_seconds is not None:  # busy, and not the tool's fault
            return UNCHECKED
        return invalid(ToolReason.DATABASE_REFUSED, str(error))
    except Exception:  # the edge: a fault of ours takes no other tool away
        log.exception("declared tool not checked", tool=name)
        return UNCHECKED
    return READY


def invalid(reason: ToolReason, message: str) -> Verdict:
    """Return the verdict on a tool that is not offered."""
    return Verdict(ToolState.INVALID, reason, message[:LONGEST_MESSAGE])


@dataclass(frozen=True, slots=True)
class EntryParts:
    """What entries are built from.

    Attributes:
        builders: How statements are built, by the name of an enabled backend.
        hidden: Backends that are not enabled; their tools are left out.
        is_taken: Whether a built-in tool has a name.
        on_stale: Called with a backend whose schema may have changed.
    """

    builders: Mapping[str, BuildStatement]
    hidden: Sequence[str]
    is_taken: Callable[[str], bool]
    on_stale: Callable[[str], None]


def build_entries(config: LiveConfig, parts: EntryParts) -> list[DeclaredEntry]:
    """Build every tool that can be built, and say of the others why not."""
    tools = [each for each in config.tools if each.backend not in parts.hidden]
    return [
        *(build_entry(each, parts) for each in tools),
        *(describe_bad(each) for each in config.bad),
    ]


def build_entry(config: DeclaredToolConfig, parts: EntryParts) -> DeclaredEntry:
    """Build one tool."""
    entry = DeclaredEntry(config.name, config.backend)
    build = parts.builders.get(config.backend)
    try:
        if parts.is_taken(config.name):
            raise Unusable(ToolReason.ALREADY_EXISTS, "A built-in tool has this name.")
        if build is None:
            message = f"No backend {config.backend} can have declared tools."
            raise Unusable(ToolReason.UNKNOWN_BACKEND, message)
        arguments = Arguments(config.name, config.parameters)
        entry.statement = build(config)
        on_stale = partial(parts.on_stale, config.backend)
        entry.tool = DeclaredTool.build(config, arguments, entry.statement, on_stale)
    except Unusable as error:
        entry.verdict = error.verdict
    except ConfigError as error:
        entry.verdict = invalid(ToolReason.BAD_PARAMETERS, str(error))
    except Rejected as error:
        entry.verdict = invalid(ToolReason.STATEMENT_REJECTED, str(error))
    return entry


def describe_bad(bad: BadEntry) -> DeclaredEntry:
    """Return the entry of a tool that this server cannot read."""
    verdict = invalid(ToolReason.UNREADABLE, bad.problem)
    return DeclaredEntry(bad.name, "", verdict)


def list_offered(entries: Sequence[DeclaredEntry]) -> list[CatalogEntry]:
    """Return the tools that clients see."""
    return [
        CatalogEntry(entry.tool, entry.backend)
        for entry in entries
        if entry.tool is not None and entry.is_offered
    ]
