"""Asks an OpenAI-compatible endpoint for the vector of one text.

It is no backend of its own: when it fails, its search fails and says what to use
instead, and the database's state and circuit stay as they are.
"""

import asyncio
from pathlib import Path
from typing import Any

import httpx

from mcphub_server.backends.qdrant.connecting import (
    TIMEOUT,
    FileKeyAuth,
    build_transport,
)
from mcphub_server.config.backends import EmbeddingConfig
from mcphub_server.config.secrets import read_backend_secrets
from mcphub_server.errors import BadArgument, QueryFailed

LONGEST_TEXT = 8_192
EMBED_TIMEOUT_SECONDS = 10.0
PATH = "/embeddings"


class EmbeddingClient:
    """One endpoint and one model."""

    def __init__(self, backend: str, config: EmbeddingConfig, secrets: Path) -> None:
        base = config.url.rstrip("/")
        self._url = base if base.endswith(PATH) else base + PATH
        self._model = config.model
        self._client = httpx.AsyncClient(
            auth=FileKeyAuth(
                "authorization",
                "Bearer ",
                lambda: read_backend_secrets(secrets, backend).embedding_api_key,
            ),
            transport=build_transport(None),
            timeout=TIMEOUT,
            trust_env=False,
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def embed(self, text: str) -> list[float]:
        """Return the text's vector.

        Raises:
            BadArgument: The text is empty or too long.
            QueryFailed: The endpoint fails; says what to use instead.
        """
        if not 0 < len(text.strip()) <= LONGEST_TEXT:
            raise BadArgument(f"query_text has 1 to {LONGEST_TEXT} characters.")
        try:
            async with asyncio.timeout(EMBED_TIMEOUT_SECONDS):
                response = await self._client.post(
                    self._url, json={"model": self._model, "input": text}
                )
        except (httpx.HTTPError, OSError, TimeoutError):
            raise fail("cannot be reached") from None
        if response.status_code != httpx.codes.OK:
            raise fail(f"answers with status {response.status_code}")
        return read_vector(response)


def read_vector(response: httpx.Response) -> list[float]:
    """Return the first vector of an answer."""
    try:
        vector: Any = response.json()["data"][0]["embedding"]
    except (ValueError, LookupError, TypeError):
        raise fail("gives no vector") from None
    if not isinstance(vector, list) or not all(
        isinstance(number, int | float) for number in vector
    ):
        raise fail("gives no vector")
    return vector


def fail(problem: str) -> QueryFailed:
    """Say that a text cannot be turned into a vector now."""
    return QueryFailed(
        f"query_text cannot be used now: the embedding endpoint {problem}. "
        "Use point_id or query_vector, or try again later."
    )
