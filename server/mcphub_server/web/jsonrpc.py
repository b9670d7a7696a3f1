"""The head of a JSON-RPC message, read before the SDK reads all of it.

Pure. A body that cannot be read is no request: the SDK refuses it.
"""

import re
from typing import TypeVar

import msgspec

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What a decoder raises for bytes that are no message."""

PARSE_ERROR = -32700
INTERNAL_ERROR = -32603
INVALID_REQUEST = -32600
RATE_LIMITED = -32029
"""A code of our own, in the range left to servers."""

LONGEST_ID = 256
"""Of requests that are answered for; the specification's own are short numbers."""

LONGEST_NAME = 4_096
"""In bytes, as written; the longest are addresses of resources and cursors."""

CANCELLED_METHOD = "notifications/cancelled"
CALL_METHOD = "tools/call"

RequestKey = str | int
T = TypeVar("T")


class CancelledParams(msgspec.Struct, rename="camel"):
    """The parameters of `notifications/cancelled`."""

    request_id: str | int | None = None


class CallParams(msgspec.Struct):
    """The parameters of `tools/call`."""

    name: str = ""


class Names(msgspec.Struct, rename="camel"):
    """What parameters name: a tool, a prompt, a resource, a page, a revision."""

    name: msgspec.Raw = msgspec.Raw()
    uri: msgspec.Raw = msgspec.Raw()
    cursor: msgspec.Raw = msgspec.Raw()
    protocol_version: msgspec.Raw = msgspec.Raw()


class Message(msgspec.Struct, frozen=True):
    """As much of a message as tells whether a response will come."""

    id: str | int | None = None
    method: str = ""
    params: msgspec.Raw = msgspec.Raw()

    @property
    def request_id(self) -> RequestKey | None:
        """The id of a request; None for notifications, responses and the rest."""
        too_long = isinstance(self.id, str) and len(self.id) > LONGEST_ID
        return None if too_long or not self.method else self.id

    @property
    def cancelled_id(self) -> RequestKey | None:
        """The id of the request that this message cancels, if it cancels one."""
        if self.method != CANCELLED_METHOD:
            return None
        cancelled = decode(CANCELLED_PARAMS, bytes(self.params))
        return cancelled.request_id if cancelled else None

    @property
    def tool(self) -> str | None:
        """The name of the tool that this message calls, if it calls one."""
        if self.method != CALL_METHOD:
            return None
        call = decode(CALL_PARAMS, bytes(self.params))
        return call.name if call else None

    @property
    def has_long_name(self) -> bool:
        """Whether it names something by more than any name has.

        The SDK repeats a name in its answers, at several times the cost of reading it.
        """
        if isinstance(self.id, str) and len(self.id) > LONGEST_ID:
            return True
        params = bytes(self.params)
        if max(len(self.method), len(params)) <= LONGEST_NAME:
            return False
        names = decode(NAMES, params) or Names()
        written = (names.name, names.uri, names.cursor, names.protocol_version)
        lengths = [len(self.method), *(len(bytes(each)) for each in written)]
        return max(lengths) > LONGEST_NAME


class Envelope(msgspec.Struct):
    """The members that tell a request from a notification, as they were written."""

    id: msgspec.Raw = msgspec.Raw()
    method: msgspec.Raw = msgspec.Raw()


ENVELOPES = msgspec.json.Decoder(Envelope)
VALID_ID = re.compile(rb'".*|-?\d+', re.DOTALL)
MESSAGES = msgspec.json.Decoder(Message)
CANCELLED_PARAMS = msgspec.json.Decoder(CancelledParams)
NAMES = msgspec.json.Decoder(Names)
CALL_PARAMS = msgspec.json.Decoder(CallParams)
UNREADABLE_MESSAGE = Message()


def decode(decoder: msgspec.json.Decoder[T], body: bytes) -> T | None:
    """Decode what a decoder wants of a body; None if it cannot be read."""
    try:
        return decoder.decode(body)
    except UNREADABLE:
        return None


def parse_message(body: bytes) -> Message:
    """Return a message's head; one without a method if the body cannot be read."""
    return decode(MESSAGES, body) or UNREADABLE_MESSAGE


def has_invalid_id(body: bytes) -> bool:
    """Return whether a request has an id that is neither a string nor an integer.

    MCP forbids null, and the SDK takes such a request for a notification: its client
    would wait for an answer without end (Base protocol, Requests).
    """
    envelope = decode(ENVELOPES, body)
    if envelope is None or not bytes(envelope.id) or not bytes(envelope.method):
        return False
    return VALID_ID.fullmatch(bytes(envelope.id)) is None


def build_error(request: RequestKey, message: str) -> dict[str, object]:
    """Make the JSON-RPC error that answers a request."""
    error = {"code": INTERNAL_ERROR, "message": message}
    return {"jsonrpc": "2.0", "id": request, "error": error}
