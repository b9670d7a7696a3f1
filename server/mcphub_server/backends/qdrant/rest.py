"""qdrant-client's REST part alone, without what its packages import besides.

Importing `qdrant_client` loads gRPC, an in-memory engine and every model's validator:
50 MiB and 0.6 s of CPU, of which three requests need a third. Its REST client is a
module that needs none of it, but Python runs a package's `__init__` first; so bare
packages stand in for the two while it is imported, and leave again, so that a later
import of the whole package finds things as they should be.

A third stands in for the module that turns arrays of numpy into lists: a hub passes
lists, and numpy costs 20 MiB of memory, 43 MiB of the image and 0.2 s of CPU.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import PathFinder
from types import ModuleType

PACKAGES = ("qdrant_client", "qdrant_client.http")
ARRAYS = "qdrant_client._numpy_vectors"


@contextmanager
def bare_packages() -> Iterator[None]:
    """Let modules of the packages be imported without the packages' own code."""
    added: list[str] = []
    path = None
    for name in PACKAGES:
        if name not in sys.modules:
            spec = PathFinder.find_spec(name, path)
            if spec is None or spec.submodule_search_locations is None:
                break  # installed in an unusual way: the usual import will do
            package = ModuleType(name)
            package.__path__ = list(spec.submodule_search_locations)
            sys.modules[name] = package
            added.append(name)
        path = list(sys.modules[name].__path__)
    if ARRAYS not in sys.modules:
        without_arrays = ModuleType(ARRAYS)
        without_arrays.NumpyVectorsToLists = None  # type: ignore[attr-defined]
        sys.modules[ARRAYS] = without_arrays
        added.append(ARRAYS)
    try:
        yield
    finally:
        for name in added:
            del sys.modules[name]


with bare_packages():
    from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
    from qdrant_client.http.api_client import AsyncApis
    from qdrant_client.http.exceptions import (
        ApiException,
        ResponseHandlingException,
        UnexpectedResponse,
    )
    from qdrant_client.http.models import models

__all__ = [
    "ApiException",
    "AsyncApis",
    "ResourceExhaustedResponse",
    "ResponseHandlingException",
    "UnexpectedResponse",
    "models",
]
