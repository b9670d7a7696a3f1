"""A hub as the operator works with it, and the one way to get it from the API."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from mcphub_operator.errors import InvalidHub
from mcphub_operator.spec.hub_spec import HubSpec


@dataclass(frozen=True, slots=True)
class Hub:
    """An McpHub: its spec and what its metadata say that matters."""

    namespace: str
    name: str
    uid: str
    generation: int
    annotations: Mapping[str, str]
    labels: Mapping[str, str]
    spec: HubSpec


def parse_hub(body: Mapping[str, Any]) -> Hub:
    """Read an McpHub as the API server sends it.

    Raises:
        InvalidHub: a field is missing or bad. The API server refuses nearly all of
            these; an older CRD, or none of its rules, may let one through.
    """
    metadata = body["metadata"]
    try:
        spec = HubSpec.model_validate(body.get("spec") or {})
    except ValidationError as error:
        raise InvalidHub(_sentence(error)) from None
    return Hub(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata.get("uid", ""),
        generation=metadata.get("generation", 0),
        annotations=dict(metadata.get("annotations") or {}),
        labels=dict(metadata.get("labels") or {}),
        spec=spec,
    )


def _sentence(error: ValidationError) -> str:
    """Name the first bad field and what is wrong; never the value that stood there."""
    first, *others = error.errors(include_input=False, include_url=False)
    more = f" (and {len(others)} more)" if others else ""
    return f"{_path(first['loc'])}: {first['msg']}{more}"


def _path(location: tuple[int | str, ...]) -> str:
    parts = (f"[{p}]" if isinstance(p, int) else f".{p}" for p in location)
    return "spec" + "".join(parts)
