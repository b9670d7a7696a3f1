"""A Qdrant with trial collections, until the block ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from qdrant_client import QdrantClient, models

from tests.support.embedding.hashing import DIMENSIONS, embed
from tests.support.qdrant.server import QdrantServer

CITIES = ("London", "Paris", "Rome", "Madrid", "Berlin")
UUID = "5c56c793-69f3-4fbf-87e6-c4bf54c28c26"
NOTES = (
    "the cat sat on the mat",
    "a dog chased the cat",
    "stock markets fell sharply",
    "the parliament passed a law",
)


@contextmanager
def running_qdrant(
    certificate: tuple[Path, Path] | None = None,
) -> Iterator[QdrantServer]:
    """Start a Qdrant, and kill it at the end: its data is thrown away."""
    with TemporaryDirectory(prefix="mcphub-qdrant-") as folder:
        server = QdrantServer(Path(folder), certificate=certificate)
        try:
            server.start()
            yield server
        finally:
            server.kill()


def fill(server: QdrantServer) -> None:
    """Make the trial collections."""
    client = server.connect()
    fill_docs(client)
    fill_mixed(client)
    fill_notes(client)
    client.create_collection("secret", vectors_config=build_vector(4))
    client.close()


def fill_docs(client: QdrantClient) -> None:
    """One unnamed vector, 30 points, payload of several types."""
    client.create_collection("docs", vectors_config=build_vector(4))
    points = [
        models.PointStruct(
            id=n,
            vector=[1.0, n / 10, 0.0, 0.0],
            payload={
                "city": CITIES[n % 5],
                "n": n,
                "tags": ["a", "b"] if n % 2 else [],
                "place": {"lat": 40.0 + n, "lon": 10.0},
                "canary": f"canary-{n}",
            },
        )
        for n in range(1, 31)
    ]
    client.upsert("docs", points)
    client.create_payload_index("docs", "city", models.PayloadSchemaType.KEYWORD)
    client.create_payload_index("docs", "n", models.PayloadSchemaType.INTEGER)


def fill_mixed(client: QdrantClient) -> None:
    """Named, sparse and multi vectors, and an id that is a UUID."""
    several = models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM)
    client.create_collection(
        "mixed",
        vectors_config={
            "dense": build_vector(4),
            "many": models.VectorParams(
                size=2, distance=models.Distance.DOT, multivector_config=several
            ),
        },
        sparse_vectors_config={"words": models.SparseVectorParams()},
    )
    points = [
        models.PointStruct(
            id=UUID,
            vector={
                "dense": [1.0, 0.0, 0.0, 0.0],
                "many": [[1.0, 2.0], [3.0, 4.0]],
                "words": models.SparseVector(indices=[1, 7], values=[0.5, 0.25]),
            },
            payload={"kind": "first"},
        ),
        models.PointStruct(
            id=2, vector={"dense": [0.0, 1.0, 0.0, 0.0]}, payload={"kind": "second"}
        ),
    ]
    client.upsert("mixed", points)


def fill_notes(client: QdrantClient) -> None:
    """Texts with the vectors of the embedding double."""
    client.create_collection("notes", vectors_config=build_vector(DIMENSIONS))
    points = [
        models.PointStruct(id=n, vector=embed(text), payload={"text": text})
        for n, text in enumerate(NOTES)
    ]
    client.upsert("notes", points)


def build_vector(size: int) -> models.VectorParams:
    return models.VectorParams(size=size, distance=models.Distance.COSINE)
