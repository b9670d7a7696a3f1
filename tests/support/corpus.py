"""The corpus of hostile and ordinary inputs, each with what must become of it."""

from dataclasses import dataclass
from functools import reduce
from typing import Any

import yaml

from tools.project import ROOT

FILE = ROOT / "tests" / "unit" / "server" / "guards" / "corpus.yaml"


@dataclass(frozen=True, slots=True)
class CorpusItem:
    """One input: `text` for a statement, `arguments` for Qdrant and MongoDB."""

    id: str
    backend: str
    expected: str
    why: str
    text: str = ""
    arguments: dict[str, Any] | None = None
    label: str | None = None
    parameters: Any = None


def load_corpus(backend: str) -> list[CorpusItem]:
    """Return the items of one backend, long ones built."""
    entries = yaml.load(FILE.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return [build_item(entry) for entry in entries if entry["backend"] == backend]


def build_item(entry: dict[str, Any]) -> CorpusItem:
    return CorpusItem(
        id=entry["id"],
        backend=entry["backend"],
        expected=entry["expected"],
        why=entry["why"],
        text=build_text(entry),
        arguments=build_arguments(entry),
        label=entry.get("label"),
        parameters=entry.get("parameters"),
    )


def build_text(entry: dict[str, Any]) -> str:
    depth = int(entry.get("parentheses", 0))
    if depth:
        return "SELECT " + "(" * depth + "1" + ")" * depth
    return str(entry.get("input", ""))


def build_arguments(entry: dict[str, Any]) -> dict[str, Any] | None:
    if depth := entry.get("nested_filter"):
        leaf: dict[str, Any] = {"key": "n", "match": {"value": 1}}
        return {
            "filter": reduce(lambda inner, _: {"must": [inner]}, range(depth), leaf)
        }
    if count := entry.get("conditions"):
        conditions = [{"key": "n", "match": {"value": i}} for i in range(count)]
        return {"filter": {"should": conditions}}
    if count := entry.get("values"):
        condition = {"key": "n", "match": {"any": list(range(count))}}
        return {"filter": {"must": [condition]}}
    if entry["backend"] == "mongodb" and "arguments" not in entry:
        return build_mongodb_arguments(entry)
    found: dict[str, Any] | None = entry.get("arguments")
    return found


def build_mongodb_arguments(entry: dict[str, Any]) -> dict[str, Any]:
    leaf: Any = {"n": 1}
    if length := entry.get("regex"):
        return {"filter": {"a": {"$regex": "x" * length}}}
    if depth := entry.get("nested_and"):
        return {
            "filter": reduce(lambda inner, _: {"$and": [inner]}, range(depth), leaf)
        }
    if count := entry.get("in_values"):
        return {"filter": {"n": {"$in": list(range(count))}}}
    if count := entry.get("stages"):
        return {"pipeline": [{"$match": leaf}] * count}
    if count := entry.get("joins"):
        return {"pipeline": [{"$unionWith": "orders"}] * count}
    depth = entry["nested_facets"]
    inmost: list[Any] = []
    nested = reduce(lambda inner, _: [{"$facet": {"a": inner}}], range(depth), inmost)
    return {"pipeline": nested}
