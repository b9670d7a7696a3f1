"""The audit line of a call: who did what, and how it went."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import structlog
from fastmcp.tools.base import ToolResult

from mcphub_server.spans import find_trace_id
from mcphub_server.tools.building import ERROR_META
from mcphub_server.web.caller import current_client

audit = structlog.get_logger("mcphub.audit")

OK = "ok"


@dataclass(slots=True)
class CallRecord:
    """What a running call adds to its audit line."""

    fingerprint: str = ""
    rows: int = 0
    refusal: str = ""
    rule: str = ""


_record: ContextVar[CallRecord | None] = ContextVar("mcphub_call", default=None)


@contextmanager
def enter_record() -> Generator[CallRecord]:
    """Let what runs inside the block add to one audit line."""
    record = CallRecord()
    token = _record.set(record)
    try:
        yield record
    finally:
        _record.reset(token)


def note_call(*, fingerprint: str | None = None, rows: int | None = None) -> None:
    """Add facts to the audit line of the call that is running."""
    record = _record.get()
    if record is None:
        return
    if fingerprint is not None:
        record.fingerprint = fingerprint
    if rows is not None:
        record.rows = rows


def describe_outcome(result: ToolResult) -> tuple[str, str]:
    """Return `ok` or the kind of the failure, and the guard's rule that refused."""
    if not result.is_error:
        return OK, ""
    details = (result.meta or {}).get(ERROR_META, {})
    return str(details.get("kind", "internal")), str(details.get("rule", ""))


def measure(result: ToolResult) -> int:
    """Return the size of the text that the client gets."""
    return sum(len(getattr(block, "text", "")) for block in result.content)


def log_call(
    tool: str, outcome: str, record: CallRecord, size_bytes: int, seconds: float
) -> None:
    """Write the audit line: who did what, how it went; no statement and no value."""
    audit.info(
        "tool call",
        **build_origin(),
        tool=tool[:128],
        statement=record.fingerprint,
        rows=record.rows,
        bytes=size_bytes,
        duration_ms=round(seconds * 1000, 1),
        outcome=outcome,
        **({"refusal": record.refusal} if record.refusal else {}),
        **build_trace(),
    )


def build_origin() -> dict[str, str]:
    """Return what every audit line says of the caller."""
    client = current_client()
    return {
        "client": client.principal,
        "address": client.address,
        "session": client.session[:12],
    }


def build_trace() -> dict[str, str]:
    """Return the trace's id, if the request is recorded."""
    trace_id = find_trace_id()
    return {"trace_id": trace_id} if trace_id else {}
