"""Logs: one JSON object a line, or text for people; kopf's own lines too."""

import logging
import sys

import structlog
from structlog.typing import Processor

from mcphub_operator.settings import Settings

QUIET_LOGGERS = {"kopf": logging.WARNING, "aiohttp": logging.WARNING}


class _NoSignals(logging.Filter):
    """kopf runs in a thread, and the process takes the signals: expected."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let everything else pass."""
        return "OS signals are ignored" not in record.getMessage()


def configure_logs(settings: Settings) -> None:
    """Set logging up for the whole process."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_NoSignals())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_renderers(settings.log_format),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level.upper())
    for name, level in QUIET_LOGGERS.items():
        logging.getLogger(name).setLevel(max(level, root.level))


def _renderers(log_format: str) -> list[Processor]:
    if log_format == "text":
        # The prettier tracebacks print local variables, Secrets among them.
        plain = structlog.dev.plain_traceback
        colors = sys.stderr.isatty()
        return [structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain)]
    return [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(),
    ]
