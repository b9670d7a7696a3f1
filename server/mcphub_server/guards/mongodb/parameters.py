"""Declared pipelines: where a parameter may stand, and what its value becomes there.

A caller's value must stay a value. In an expression a text such as `$tenant` would be a
field path, so it becomes `{"$literal": value}`; in a filter it becomes `{"$eq": value}`
or the operand of a comparison. In every other place a parameter is refused. Pure.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from mcphub_server.errors import Rejected
from mcphub_server.guards.mongodb.names import check_collection
from mcphub_server.guards.mongodb.pipeline import check_pipeline
from mcphub_server.guards.mongodb.size import check_size

PARAMETER = "$param"
SAMPLE = 1
"""Stands for every value while the pipeline is checked; the guards look at none."""

_COMPARISONS = frozenset("$eq $ne $gt $gte $lt $lte $in $nin $all $size".split())
_LOGICAL = frozenset({"$and", "$or", "$nor"})
_COUNTS = frozenset({"$limit", "$skip"})
_PATTERNS = frozenset({"regex", "$regex"})
_EXPRESSIONS = frozenset(
    """
    $addFields $bucket $bucketAuto $group $project $redact $replaceRoot $replaceWith
    $set $setWindowFields $sortByCount
    """.split()
)
_ADVICE = (
    'Write {"aggregate": "collection", "pipeline": [{"$match": {"city": {"$param": '
    '"city"}}}]}.'
)
_PLACES = (
    "A parameter stands for a whole value: of a field or a comparison in $match, or in "
    "an expression."
)


@dataclass(frozen=True, slots=True)
class DeclaredPipeline:
    """A pipeline in which `{"$param": "name"}` stands for values.

    Attributes:
        collection: What it reads.
        stages: The stages as JSON.
        parameters: The names that it uses.
    """

    collection: str
    stages: list[Any]
    parameters: frozenset[str]


def read_declared(text: str, allowed: Collection[str] = ()) -> DeclaredPipeline:
    """Return a declared statement's pipeline.

    Args:
        text: JSON: the command `aggregate` with its `pipeline`.
        allowed: The hub's collections; empty: all of the database's.

    Raises:
        Rejected: It is no such JSON, may do more than read, or has a parameter where
            none may stand.
    """
    command = _read_json(text)
    if not isinstance(command, dict) or set(command) != {"aggregate", "pipeline"}:
        problem = "The statement needs the fields aggregate and pipeline, and no other."
        raise Rejected("mongodb/statement", problem, _ADVICE)
    stages = command["pipeline"]
    check_size(stages, "The pipeline")
    binding = Binding(defaultdict(lambda: SAMPLE))
    check_pipeline(binding.bind(stages), allowed)
    collection = check_collection(command["aggregate"], allowed)
    return DeclaredPipeline(collection, stages, frozenset(binding.used))


def _read_json(text: str) -> Any:
    try:
        return json.loads(
            text, object_pairs_hook=_refuse_twice, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError):
        problem = "The statement is no JSON, or has a key twice."
        raise Rejected("mongodb/statement", problem, _ADVICE) from None


def _refuse_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


class Binding:
    """Puts values into a pipeline.

    Attributes:
        used: The parameters that were met.
    """

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values
        self.used: set[str] = set()
        self._stages: dict[str, Callable[[Any], Any]] = {
            "$match": self._bind_filter,
            "$facet": self._bind_facet,
            **dict.fromkeys(_COUNTS, self._bind_operand),
            **dict.fromkeys(_EXPRESSIONS, self._bind_expression),
            **dict.fromkeys(
                ("$lookup", "$unionWith", "$graphLookup", "$geoNear"), self._bind_parts
            ),
        }
        self._parts: dict[str, Callable[[Any], Any]] = {
            "pipeline": self.bind,
            "let": self._bind_expression,
            "startWith": self._bind_expression,
            "restrictSearchWithMatch": self._bind_filter,
            "query": self._bind_filter,
        }

    def bind(self, stages: Any) -> Any:
        """Return a pipeline with the values; what is no pipeline, as it is.

        Raises:
            Rejected: A parameter stands where none may.
        """
        if not isinstance(stages, list):
            return self._keep(stages)
        return [self._bind_stage(stage) for stage in stages]

    def _bind_stage(self, stage: Any) -> Any:
        if not isinstance(stage, dict):
            return self._keep(stage)
        return {
            name: self._stages.get(name, self._keep)(value)
            for name, value in stage.items()
        }

    def _bind_facet(self, node: Any) -> Any:
        if not isinstance(node, dict) or PARAMETER in node:
            return self._keep(node)
        return {name: self.bind(pipeline) for name, pipeline in node.items()}

    def _bind_parts(self, node: Any) -> Any:
        if not isinstance(node, dict) or PARAMETER in node:
            return self._keep(node)
        return {
            key: self._parts.get(key, self._keep)(value) for key, value in node.items()
        }

    def _bind_expression(self, node: Any) -> Any:
        if self._is_parameter(node):
            return {"$literal": self._find(node)}
        if isinstance(node, list):
            return [self._bind_expression(each) for each in node]
        if not isinstance(node, dict):
            return node
        return {key: self._bind_member(key, value) for key, value in node.items()}

    def _bind_member(self, key: str, value: Any) -> Any:
        if key == "$literal":
            return self._bind_operand(value)
        return self._keep(value) if key in _PATTERNS else self._bind_expression(value)

    def _bind_filter(self, node: Any) -> Any:
        if not isinstance(node, dict) or PARAMETER in node:
            return self._keep(node)
        return {key: self._bind_criterion(key, value) for key, value in node.items()}

    def _bind_criterion(self, key: str, value: Any) -> Any:
        if key in _LOGICAL and isinstance(value, list):
            return [self._bind_filter(each) for each in value]
        if key == "$expr":
            return self._bind_expression(value)
        if key == "$text" and isinstance(value, dict):
            return {
                option: self._bind_operand(each)
                if option == "$search"
                else self._keep(each)
                for option, each in value.items()
            }
        return self._keep(value) if key.startswith("$") else self._bind_condition(value)

    def _bind_condition(self, node: Any) -> Any:
        if self._is_parameter(node):
            return {"$eq": self._find(node)}
        if not isinstance(node, dict) or not all(key.startswith("$") for key in node):
            return self._keep(node)
        return {key: self._bind_operator(key, value) for key, value in node.items()}

    def _bind_operator(self, key: str, value: Any) -> Any:
        if key in _COMPARISONS and isinstance(value, list):
            return [self._bind_operand(each) for each in value]
        if key in _COMPARISONS:
            return self._bind_operand(value)
        if key == "$not" and not self._is_parameter(value):
            return self._bind_condition(value)
        if key == "$elemMatch" and isinstance(value, dict):
            names_fields = any(k in _LOGICAL or not k.startswith("$") for k in value)
            bind = self._bind_filter if names_fields else self._bind_condition
            return bind(value)
        return self._keep(value)

    def _bind_operand(self, node: Any) -> Any:
        """Return the value itself: in these places none is a path or an operator."""
        return self._find(node) if self._is_parameter(node) else self._keep(node)

    def _keep(self, node: Any) -> Any:
        """Return what may have no parameter, as it is."""
        stack = [node]
        while stack:
            part = stack.pop()
            if isinstance(part, dict):
                if PARAMETER in part:
                    raise Rejected(
                        "mongodb/parameter", "A parameter stands elsewhere.", _PLACES
                    )
                stack.extend(part.values())
            elif isinstance(part, list):
                stack.extend(part)
        return node

    def _is_parameter(self, node: Any) -> bool:
        return isinstance(node, dict) and PARAMETER in node

    def _find(self, node: dict[str, Any]) -> object:
        name = node[PARAMETER]
        if len(node) != 1 or not isinstance(name, str):
            problem = f"{PARAMETER} does not stand alone with a name."
            raise Rejected("mongodb/parameter", problem, _ADVICE)
        self.used.add(name)
        return self._values[name]
