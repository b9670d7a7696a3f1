"""Query vectors: lists of finite numbers, sparse vectors, lists of vectors."""

from typing import Any

from mcphub_server.errors import BadArgument
from mcphub_server.guards.qdrant.numbers import is_finite

MAX_DIMENSIONS = 65_536
MAX_VECTORS = 1_024

_SHAPES = (
    "a list of numbers, a list of such lists, or an object with indices and values"
)


def check_vector(vector: Any) -> Any:
    """Return a dense, multi or sparse vector as plain lists of numbers.

    Raises:
        BadArgument: It is empty, too long or has what is no finite number.
    """
    if isinstance(vector, dict):
        return _check_sparse(vector)
    if not isinstance(vector, list) or not vector:
        raise BadArgument(f"query_vector is {_SHAPES}, and not empty.")
    if isinstance(vector[0], list):
        return _check_multi(vector)
    return _check_dense(vector)


def _check_dense(vector: Any) -> list[float]:
    if not isinstance(vector, list) or not 1 <= len(vector) <= MAX_DIMENSIONS:
        raise BadArgument(f"query_vector has 1 to {MAX_DIMENSIONS} numbers.")
    for index, number in enumerate(vector):
        if not is_finite(number):
            raise BadArgument(f"query_vector has no finite number at index {index}.")
    return [float(number) for number in vector]


def _check_multi(vectors: list[Any]) -> list[list[float]]:
    if len(vectors) > MAX_VECTORS:
        raise BadArgument(f"query_vector has more than {MAX_VECTORS} vectors.")
    # counted before any of them is looked at
    if sum(len(each) for each in vectors if isinstance(each, list)) > MAX_DIMENSIONS:
        raise BadArgument(f"query_vector has more than {MAX_DIMENSIONS} numbers.")
    checked = [_check_dense(vector) for vector in vectors]
    if len({len(vector) for vector in checked}) > 1:
        raise BadArgument("query_vector has vectors of different lengths.")
    return checked


def _check_sparse(vector: dict[Any, Any]) -> dict[str, Any]:
    if set(vector) != {"indices", "values"}:
        raise BadArgument(f"query_vector is {_SHAPES}.")
    indices, values = vector["indices"], _check_dense(vector["values"])
    if not isinstance(indices, list) or len(indices) != len(values):
        raise BadArgument("query_vector needs as many indices as values.")
    if not all(type(i) is int and 0 <= i < 2**32 for i in indices):
        raise BadArgument("query_vector's indices are whole numbers from 0 on.")
    if len(set(indices)) != len(indices):
        raise BadArgument("query_vector has an index twice.")
    return {"indices": indices, "values": values}
