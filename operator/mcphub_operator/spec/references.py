"""The Secret keys that a hub's servers read, and their file names."""

from collections.abc import Iterator
from dataclasses import dataclass

from mcphub_operator.spec.backends import (
    Backend,
    CredentialsRef,
    Neo4jBackend,
    PostgresBackend,
    QdrantBackend,
    SecretKeyRef,
)
from mcphub_operator.spec.hub import Hub


@dataclass(frozen=True, slots=True, order=True)
class SecretRef:
    """A key of a Secret, and its file name in the folder of its backend."""

    backend: str
    secret_name: str
    key: str
    file_name: str


def secret_refs(hub: Hub) -> tuple[SecretRef, ...]:
    """List the references of the enabled backends, in the order of the spec.

    The hub does not serve a disabled backend, so its missing Secret must not block
    the hub.
    """
    return tuple(
        SecretRef(backend.name, secret_name, key, file_name)
        for backend in hub.spec.backends
        if backend.enabled
        for secret_name, key, file_name in _files(backend)
    )


_File = tuple[str, str, str]


def _files(backend: Backend) -> Iterator[_File]:
    for member in (backend.postgres, backend.qdrant, backend.neo4j):
        match member:
            case PostgresBackend():
                yield from _credentials(member.credentials_secret_ref)
                yield from _single(member.ca_secret_ref, "ca.crt")
            case QdrantBackend():
                yield from _single(member.api_key_secret_ref, "apiKey")
                if member.embedding.url:
                    key = member.embedding.api_key_secret_ref
                    yield from _single(key, "embeddingApiKey")
            case Neo4jBackend():
                yield from _credentials(member.credentials_secret_ref)


def _credentials(ref: CredentialsRef) -> Iterator[_File]:
    yield ref.name, ref.username_key, "username"
    yield ref.name, ref.password_key, "password"


def _single(ref: SecretKeyRef, file_name: str) -> Iterator[_File]:
    if ref.is_set:
        yield ref.name, ref.key, file_name
