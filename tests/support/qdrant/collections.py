"""The double's collections: one shard of the real engine each, kept on disk."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import qdrant_edge as edge

from tests.support.qdrant.filters import BadRequest, Json, read_filter

CONFIGURATION = "collection.json"


class NotFound(LookupError):
    """What a real Qdrant answers with status 404."""


@dataclass(frozen=True, slots=True)
class Collection:
    """One collection and the configuration that it was made with."""

    name: str
    configuration: Json
    shard: edge.EdgeShard

    @classmethod
    def create(cls, folder: Path, name: str, configuration: Json) -> "Collection":
        """Make a collection in an empty folder."""
        folder.mkdir(parents=True)
        (folder / CONFIGURATION).write_text(json.dumps([name, configuration]))
        shard = edge.EdgeShard.create(str(folder), read_configuration(configuration))
        return cls(name, configuration, shard)

    @classmethod
    def load(cls, folder: Path) -> "Collection":
        """Open what an earlier process made."""
        name, configuration = json.loads((folder / CONFIGURATION).read_text())
        return cls(name, configuration, edge.EdgeShard.load(str(folder)))

    def upsert(self, body: Json) -> None:
        """Write points."""
        points = [
            edge.Point(
                read_id(each["id"]), read_vectors(each["vector"]), each.get("payload")
            )
            for each in body["points"]
        ]
        self.shard.update(edge.UpdateOperation.upsert_points(points))
        self.shard.flush()

    def index(self, body: Json) -> None:
        """Index a field of the payload."""
        kinds = {"keyword": "Keyword", "integer": "Integer", "float": "Float"}
        kind = getattr(edge.PayloadSchemaType, kinds[body["field_schema"]])
        self.shard.update(
            edge.UpdateOperation.create_field_index(body["field_name"], kind)
        )

    def query(self, body: Json) -> list[Json]:
        """Answer the universal query, of which the double knows the nearest points."""
        unknown = set(body) & {"prefetch", "lookup_from"}
        if any(body[name] for name in unknown):
            raise BadRequest(f"the double does not know {sorted(unknown)}")
        request = edge.QueryRequest(
            limit=body.get("limit") or 10,
            offset=body.get("offset"),
            query=self._read_query(body),
            filter=read_filter(self._without_itself(body)),
            with_payload=body.get("with_payload") or False,
            with_vector=body.get("with_vector") or False,
            score_threshold=body.get("score_threshold"),
        )
        return [describe_hit(hit) for hit in self.shard.query(request)]

    def describe(self) -> Json:
        """Answer what a real Qdrant tells about a collection."""
        info = self.shard.info()
        return {
            "status": "green",
            "optimizer_status": "ok",
            "points_count": info.points_count,
            "indexed_vectors_count": info.indexed_vectors_count,
            "segments_count": info.segments_count,
            "config": {
                "params": {"shard_number": 1, **self.configuration},
                "hnsw_config": {
                    "m": 16,
                    "ef_construct": 100,
                    "full_scan_threshold": 10000,
                },
                "optimizer_config": {
                    "deleted_threshold": 0.2,
                    "vacuum_min_vector_number": 1000,
                    "default_segment_number": 0,
                    "flush_interval_sec": 5,
                },
            },
            "payload_schema": {
                name: {"data_type": str(field.data_type).split(".")[-1].lower()}
                | {"points": field.points}
                for name, field in info.payload_schema.items()
            },
        }

    def _read_query(self, body: Json) -> edge.Query | None:
        query, using = body.get("query"), body.get("using") or None
        if isinstance(query, dict) and "nearest" in query:
            query = query["nearest"]
        if query is None:
            return None
        if isinstance(query, int | str):
            query = self._find_vector(query, using or "")
        return edge.Query.Nearest(read_vector(query), using=using)

    def _find_vector(self, point_id: int | str, using: str) -> Any:
        found = self.shard.retrieve(
            [read_id(point_id)], with_payload=False, with_vector=True
        )
        if not found:
            raise NotFound(f"Not found: No point with id {point_id} found")
        vectors = found[0].vector
        named = vectors if isinstance(vectors, dict) else {"": vectors}
        if using not in named:
            raise BadRequest(f"Wrong input: Not existing vector name error: {using}")
        return named[using]

    def _without_itself(self, body: Json) -> Json | None:
        """A point is not among those that are like it."""
        query, condition = body.get("query"), body.get("filter")
        if isinstance(query, dict):
            query = query.get("nearest")
        if not isinstance(query, int | str):
            return condition
        others: Json = {"must_not": [{"has_id": [query]}]}
        return others | ({"must": [condition]} if condition else {})


def read_configuration(raw: Json) -> edge.EdgeConfig:
    """Return the engine's configuration of a collection's vectors."""
    vectors = raw.get("vectors") or {}
    named = {"": vectors} if "size" in vectors else vectors
    return edge.EdgeConfig(
        vectors={name: read_parameters(each) for name, each in named.items()},
        sparse_vectors={
            name: edge.EdgeSparseVectorParams()
            for name in raw.get("sparse_vectors") or {}
        },
    )


def read_parameters(raw: Json) -> edge.EdgeVectorParams:
    several = edge.MultiVectorConfig(edge.MultiVectorComparator.MaxSim)
    return edge.EdgeVectorParams(
        raw["size"],
        getattr(edge.Distance, raw["distance"]),
        multivector_config=several if raw.get("multivector_config") else None,
    )


def read_id(raw: int | str) -> int | UUID:
    try:
        return raw if isinstance(raw, int) else UUID(raw)
    except ValueError as error:
        raise BadRequest(f"Unable to parse point id {raw}") from error


def read_vectors(raw: Any) -> Any:
    if isinstance(raw, dict):
        return {name: read_vector(each) for name, each in raw.items()}
    return read_vector(raw)


def read_vector(raw: Any) -> Any:
    if isinstance(raw, dict):
        return edge.SparseVector(raw["indices"], raw["values"])
    return raw


def describe_hit(hit: edge.ScoredPoint) -> Json:
    """Answer one point as REST does."""
    described: Json = {"id": describe_id(hit.id), "version": 0, "score": hit.score}
    if hit.payload is not None:
        described["payload"] = hit.payload
    if hit.vector is not None:
        described["vector"] = describe_vector(hit.vector)
    return described


def describe_id(point_id: Any) -> int | str:
    return point_id if isinstance(point_id, int) else str(point_id)


def describe_vector(vector: Any) -> Any:
    if isinstance(vector, edge.SparseVector):
        return {"indices": list(vector.indices), "values": list(vector.values)}
    if isinstance(vector, dict):
        return {name: describe_vector(each) for name, each in vector.items()}
    return vector
