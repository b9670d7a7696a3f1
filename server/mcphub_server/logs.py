"""Logging of the whole process: structured lines, and nothing that others wrote.

Texts of libraries are not ours: FastMCP logs arguments at DEBUG, the SDK logs whole
requests, drivers put rows into exception messages. So of a foreign record only its
origin, its level and its exception's type pass, and of our own exceptions only types
and places. What an operator needs to know is logged by us, as event and key-values.
"""

import json
import logging
import sys
import traceback
from collections.abc import Mapping
from types import TracebackType

import msgspec
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from mcphub_server.config.hub import LogFormat, LoggingConfig
from mcphub_server.line_budget import LineBudget

DEEPEST_TRACE = 12

TRUSTED = frozenset({"uvicorn.error"})
"""Loggers whose texts are constants and addresses; wanted when a port is taken."""


Origin = Mapping[str, str]
NO_ORIGIN: Origin = {}


def configure_logging(config: LoggingConfig, origin: Origin = NO_ORIGIN) -> None:
    """Send every record of the process to stderr in one format.

    Args:
        config: Which, and how.
        origin: What every line says of where it comes from.
    """
    level = logging.getLevelNamesMapping()[config.level.upper()]
    renderers = build_renderers(config.format)
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        build_stamp(origin),
        tell_exception_without_values,
    ]
    structlog.configure(
        processors=[*shared, *renderers],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(BoundedOrigins(LineBudget()))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[tell_origin_only, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *renderers,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(level, logging.WARNING))
    silence_own_handlers()


def build_stamp(origin: Origin) -> Processor:
    """Return what adds the hub, its namespace and its pod to each line."""
    known = {key: value for key, value in origin.items() if value}

    def stamp(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event.update(known)
        return event

    return stamp


class BoundedOrigins(logging.Filter):
    """Lets a few lines of each place in a library pass in each minute.

    Any client can cause them: uvicorn writes one for each request that is no HTTP.
    Own lines do not come this way.
    """

    def __init__(self, budget: LineBudget) -> None:
        super().__init__()
        self._budget = budget

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is written; it tells how many were not."""
        held_back = self._budget.take(f"{record.name}:{record.lineno}")
        record.held_back = held_back
        return held_back is not None


def build_renderers(written: LogFormat) -> list[Processor]:
    """Return what makes one line of an event."""
    if written is LogFormat.JSON:
        return [structlog.processors.JSONRenderer(serializer=encode_line)]
    return [escape_unprintable, structlog.dev.ConsoleRenderer(colors=False)]


def escape_unprintable(
    _logger: WrappedLogger, _method: str, event: EventDict
) -> EventDict:
    """Write control characters as escapes, as JSON does.

    A name that a client made up may hold line ends and what terminals obey. What is
    in lists is escaped by the renderer, which shows them as Python does.
    """
    for key, value in event.items():
        if isinstance(value, str) and not value.isprintable():
            event[key] = "".join(
                each if each.isprintable() else each.encode("unicode_escape").decode()
                for each in value
            )
    return event


def encode_line(event: object, **_options: object) -> str:
    """Write an event as JSON; of a value that JSON lacks, its type alone."""
    try:
        return msgspec.json.encode(event, enc_hook=name_type).decode()
    except UnicodeEncodeError:  # half a surrogate pair, in a name that a client sent
        return json.dumps(event, default=name_type)


def name_type(value: object) -> str:
    """Return what a value is, and nothing of it."""
    return type(value).__name__


def silence_own_handlers() -> None:
    """Take away handlers that libraries hang on their own loggers (FastMCP: two)."""
    for name in ("fastmcp", "mcp", "uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True


def tell_origin_only(
    _logger: WrappedLogger, _method: str, event: EventDict
) -> EventDict:
    """Replace a foreign record's text by where it came from."""
    record: logging.LogRecord = event["_record"]
    event["logger"] = record.name
    if held_back := getattr(record, "held_back", 0):
        event["held_back"] = held_back
    if record.name not in TRUSTED:
        event["event"] = "library message withheld"
        event["origin"] = f"{record.module}:{record.lineno}"
    return event


def tell_exception_without_values(
    _logger: WrappedLogger, _method: str, event: EventDict
) -> EventDict:
    """Replace an exception by its types and places; messages may carry rows."""
    given = event.pop("exc_info", None)
    if given is True:
        given = sys.exc_info()
    error = given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["error"] = describe_types(error)
        event["trace"] = describe_places(error.__traceback__)
    return event


def describe_types(error: BaseException) -> str:
    """Return the exception's type, and those of its causes."""
    types: list[str] = []
    current: BaseException | None = error
    while current is not None and len(types) < DEEPEST_TRACE:
        types.append(type(current).__name__)
        current = current.__cause__ or current.__context__
    return " from ".join(types)


def describe_places(trace: TracebackType | None) -> list[str]:
    """Return the innermost frames as `file:line function`."""
    frames = traceback.extract_tb(trace)[-DEEPEST_TRACE:]
    return [
        f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}"
        for frame in frames
    ]
