"""Server-sent events as the SDK writes them, read and written as bytes."""

import re

import msgspec

from mcphub_server.web.jsonrpc import RequestKey, build_error

EVENT_END = b"\r\n\r\n"
EVENT_HEAD = b"event: message\r\ndata: "
COMMENT = b":"
PING = b": ping\r\n\r\n"

ANSWER = re.compile(
    rb'data: \{"jsonrpc":"2\.0","id":("(?:[^"\\]|\\.)*"|-?\d+),"(?:result|error)":'
)
LONGEST_HEAD = 512
"""Where an answer's id is, whatever its size: the SDK writes ids before results."""


def find_answered(event: bytes) -> RequestKey | None:
    """Return the id of the request that an event answers, if it answers one."""
    answer = ANSWER.search(event, 0, LONGEST_HEAD)
    if answer is None:
        return None
    request: RequestKey = msgspec.json.decode(answer[1])
    return request


def find_data(event: bytes) -> bytes:
    """Return the data of an event whose data is one line."""
    for line in event.splitlines():
        if line.startswith(b"data: "):
            return line.removeprefix(b"data: ")
    return b""


def build_error_event(request: RequestKey, message: str) -> bytes:
    """Write the event that answers a request with an error."""
    return EVENT_HEAD + msgspec.json.encode(build_error(request, message)) + EVENT_END
