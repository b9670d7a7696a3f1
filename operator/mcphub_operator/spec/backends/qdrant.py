"""Qdrant."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import ConfigDict, Field

from mcphub_operator.spec.backends.kind import (
    BackendKind,
    Endpoint,
    SecretFile,
    SecretKeyRef,
    parse_endpoint,
)
from mcphub_operator.spec.identity import QdrantIdentity
from mcphub_operator.spec.model import Model, is_empty, rule, rules
from mcphub_operator.spec.strings import HTTPURL, CollectionName, OptionalHTTPURL, Text

DEFAULT_PORT = 6333
"""Qdrant's client takes this port where the URL has none, whatever the scheme."""


class Embedding(Model):
    """An OpenAI-compatible endpoint that turns text into vectors (query_text)."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                f"{is_empty('self.url')} == {is_empty('self.model')}",
                "needs both url and model: the endpoint and the model it serves",
            )
        )
    )

    url: OptionalHTTPURL = ""
    """Base URL of the endpoint, such as https://api.openai.com/v1."""

    model: Text = ""
    """Model that produced the vectors in the collections."""

    api_key_secret_ref: SecretKeyRef = SecretKeyRef()
    """API key of the endpoint, if it requires one."""


class QdrantBackend(BackendKind):
    """A Qdrant server or cluster."""

    TOOLS = ("search", "list_collections", "collection_info", "search_objects")

    url: HTTPURL
    """URL of Qdrant's REST interface."""

    api_key_secret_ref: SecretKeyRef = SecretKeyRef()
    """Qdrant API key, if Qdrant requires one; a read-only key is sufficient."""

    collections: Annotated[tuple[CollectionName, ...], Field(max_length=100)] = ()
    """Collections that the tools may access. Empty: all."""

    embedding: Embedding = Embedding()
    """Endpoint that turns query_text into a vector. Without it, a search takes a vector
    or the id of a point."""

    identity: QdrantIdentity | None = None
    """The caller's identity in every search: only points whose payload equals the
    caller's claims are found. If unset, all callers find all points."""

    def endpoints(self) -> Iterator[Endpoint]:
        """Yield the addresses of Qdrant and of the embedding endpoint."""
        yield parse_endpoint(self.url, DEFAULT_PORT)
        if self.embedding.url:
            yield parse_endpoint(self.embedding.url)

    def secret_files(self) -> Iterator[SecretFile]:
        """Yield the API keys of Qdrant and of the embedding endpoint."""
        yield from self.api_key_secret_ref.files("apiKey")
        if self.embedding.url:
            yield from self.embedding.api_key_secret_ref.files("embeddingApiKey")
