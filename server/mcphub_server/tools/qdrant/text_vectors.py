"""The vector of a text that is searched for, made within the search's own call.

The endpoint that makes it is no database: what it fails at must neither open nor
close the circuit of the one that is searched.
"""

import asyncio

from mcphub_server.backends.qdrant.embedding import EmbeddingClient
from mcphub_server.errors import QueryTimeout, ToolFailure
from mcphub_server.guards.qdrant.vectors import check_vector


class NoVector(Exception):
    """A text became no vector; carries what the caller is told.

    No ToolFailure while it passes the circuit, which takes those for answers of the
    database.
    """

    def __init__(self, failure: ToolFailure) -> None:
        super().__init__(str(failure))
        self.failure = failure


async def make_vector(
    embedding: EmbeddingClient, text: str, timeout_seconds: float
) -> object:
    """Return a text's vector, checked like a caller's own.

    Raises:
        NoVector: The text or the endpoint's answer is of no use, or time is over.
    """
    try:
        async with asyncio.timeout(timeout_seconds):
            return check_vector(await embedding.embed(text))
    except ToolFailure as failure:
        raise NoVector(failure) from None
    except TimeoutError:
        raise NoVector(
            QueryTimeout(
                "The embedding endpoint took all the time that a call may take. Use "
                "point_id or query_vector, or try again later."
            )
        ) from None
