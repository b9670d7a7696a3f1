"""The lines of the audit log, filtered; pure functions of what replicas log."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from mcphub_cli import names
from mcphub_cli.errors import HubError

OK = "ok"
COLUMNS = ("timestamp", "client", "tool", "outcome", "rows", "duration_ms", "refusal")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which calls to show; an empty pattern lets every value pass."""

    tool: str = ""
    client: str = ""
    outcome: str = ""
    only_failures: bool = False

    def matches(self, line: Mapping[str, Any]) -> bool:
        """Tell whether a line of the audit log is wanted."""
        wanted = (("tool", self.tool), ("client", self.client))
        return (
            all(fnmatchcase(str(line.get(key)), p) for key, p in wanted if p)
            and self.outcome in ("", line.get("outcome"))
            and not (self.only_failures and line.get("outcome") == OK)
        )


def read_calls(lines: Iterable[str], wanted: Filter) -> Iterator[dict[str, Any]]:
    """Yield the calls among the lines of a log.

    Raises:
        HubError: no line is JSON.
    """
    is_json = is_other = False
    for text in lines:
        line = _parse(text)
        is_json |= line is not None
        is_other |= line is None
        if line and line.get("event") == names.AUDIT_EVENT and wanted.matches(line):
            yield line
    if is_other and not is_json:
        raise HubError(
            "The hub logs in format text, which cannot be filtered;"
            " use `kubectl logs`, or set spec.logging.format to json."
        )


def _parse(text: str) -> dict[str, Any] | None:
    try:
        line = json.loads(text)
    except ValueError:
        return None
    return line if isinstance(line, dict) else None
