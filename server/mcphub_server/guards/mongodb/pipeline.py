"""Pipelines: every stage is a known one, and joins stay within the hub's collections.

A pipeline can hold others: of $facet, $lookup and $unionWith. They are checked alike.
"""

from collections.abc import Collection, Iterator
from typing import Any

from mcphub_server.errors import Rejected
from mcphub_server.guards.mongodb.expressions import check_operators
from mcphub_server.guards.mongodb.names import check_collection
from mcphub_server.guards.mongodb.operators import STAGES
from mcphub_server.guards.mongodb.size import check_size

MAX_STAGES = 100
MAX_JOINS = 10
MAX_NESTED = 5
"""Pipelines within pipelines; MongoDB itself allows 20 of $lookup."""

_JOINS = frozenset({"$lookup", "$graphLookup", "$unionWith"})
_ADVICE = 'A pipeline is a list of stages such as [{"$match": {…}}, {"$group": {…}}].'


def check_pipeline(raw: Any, allowed: Collection[str] = ()) -> list[dict[str, Any]]:
    """Return a pipeline that only reads, and only from allowed collections.

    Args:
        raw: The caller's pipeline.
        allowed: The hub's collections; empty: all of the database's.

    Raises:
        Rejected: It is too large, or has a stage, an operator or a collection that is
            not allowed.
    """
    check_size(raw, "The pipeline")
    stages = list(_walk(raw, 0))
    if len(stages) > MAX_STAGES or _count_joins(stages) > MAX_JOINS:
        raise Rejected(
            "mongodb/size",
            f"The pipeline has more than {MAX_STAGES} stages or {MAX_JOINS} joins.",
            "Split it into several calls.",
        )
    for name, value in stages:
        if name in _JOINS:
            _check_join(name, value, allowed)
    checked: list[dict[str, Any]] = raw
    return checked


def _count_joins(stages: list[tuple[str, Any]]) -> int:
    return sum(name in _JOINS for name, _ in stages)


def _walk(raw: Any, depth: int) -> Iterator[tuple[str, Any]]:
    """Yield each stage's name and value, those of inner pipelines included."""
    if not isinstance(raw, list) or depth > MAX_NESTED:
        problem = f"It is no list of stages, or nests more than {MAX_NESTED} deep."
        raise Rejected("mongodb/pipeline", problem, _ADVICE)
    for stage in raw:
        name = _find_name(stage)
        value = stage[name]
        yield name, value
        inner = dict(_list_pipelines(name, value))
        for pipeline in inner.values():
            yield from _walk(pipeline, depth + 1)
        check_operators(_without(value, inner))


def _find_name(stage: Any) -> str:
    if not isinstance(stage, dict) or len(stage) != 1:
        raise Rejected("mongodb/pipeline", "A stage is not one {$name: …}.", _ADVICE)
    (name,) = stage
    if name not in STAGES:
        raise Rejected(
            "read-only/stage",
            f"{name} is not a stage that is known to only read.",
            "Use $match, $project, $set, $unwind, $group, $sort, $limit, $count, "
            "$facet, $lookup, $unionWith and the like.",
        )
    return str(name)


def _list_pipelines(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the keys of a stage whose values are pipelines."""
    if not isinstance(value, dict):
        return
    if name == "$facet":
        yield from value.items()
    elif name in {"$lookup", "$unionWith"} and "pipeline" in value:
        yield "pipeline", value["pipeline"]


def _without(value: Any, keys: dict[str, Any]) -> Any:
    """Return a stage's value without its pipelines, but with their names."""
    if not keys:
        return value
    return {key: None if key in keys else each for key, each in value.items()}


def _check_join(name: str, value: Any, allowed: Collection[str]) -> None:
    key = "coll" if name == "$unionWith" else "from"
    other = value.get(key) if isinstance(value, dict) else value
    if isinstance(value, dict) and "db" in value:
        other = None
    if not isinstance(other, str) or (name != "$unionWith" and other is value):
        raise Rejected(
            "read-only/collection",
            f"{name} names no collection of this database.",
            f"Write {key} with a collection's name, without a database.",
        )
    check_collection(other, allowed)
