"""Open WebSockets: which requests each has to answer, and when it may end.

Both directions are one connection, in order: a client that reads the close frame has
read every answer before it. So a connection that drains needs no moment of silence; it
ends with its last answer, and at once if it has none to send.
"""

from dataclasses import dataclass

from mcphub_server.traffic.streams import DECLINED, Stream
from mcphub_server.web.jsonrpc import (
    CALL_METHOD,
    INTERNAL_ERROR,
    INVALID_REQUEST,
    RATE_LIMITED,
    RequestKey,
)

MOST_IN_FLIGHT = 64
"""Of one connection: as many calls as a replica runs at once, by default."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request does not begin: the code and the text of a JSON-RPC error."""

    code: int
    text: str


STOPPING = Refusal(INTERNAL_ERROR, DECLINED)
REPEATED = Refusal(
    INVALID_REQUEST, "A request with this id waits for its answer already."
)
TOO_MANY = Refusal(
    RATE_LIMITED, f"{MOST_IN_FLIGHT} requests wait for their answers; try again later."
)


class Connection(Stream):
    """One open WebSocket."""

    def begin(self, request: RequestKey, method: str) -> Refusal | None:
        """Record a request that will be answered; say why if it may not begin."""
        if self.ended.is_set() or (self.closing and method == CALL_METHOD):
            return STOPPING
        if request in self.pending:
            return REPEATED
        if len(self.pending) >= MOST_IN_FLIGHT:
            return TOO_MANY
        self.pending.add(request)
        return None

    def forget(self, request: RequestKey | None) -> None:
        """Forget a request that was answered or cancelled; the last one may end all."""
        super().forget(request)
        self._end_if_done()

    def begin_draining(self) -> None:
        """Begin no call any more; end once all are answered."""
        self.closing = True
        self._end_if_done()

    def _end_if_done(self) -> None:
        if self.closing and not self.pending:
            self.ended.set()
