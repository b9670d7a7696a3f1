"""A parsed McpHub, and the function that parses it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from mcphub_operator.errors import InvalidHub
from mcphub_operator.spec.hub_spec import HubSpec
from mcphub_operator.spec.routing import find_hostnames, find_url


@dataclass(frozen=True, slots=True)
class Hub:
    """An McpHub: its spec and the metadata that the operator uses."""

    namespace: str
    name: str
    uid: str
    generation: int
    annotations: Mapping[str, str]
    labels: Mapping[str, str]
    spec: HubSpec
    is_being_deleted: bool = False
    finalizers: tuple[str, ...] = ()
    """What a deletion waits for."""

    @property
    def public_url(self) -> str:
        """Return the URL for clients from outside; empty if the spec gives none."""
        return self.spec.public_url or find_url(self.spec.route, self.spec.ingress)

    @property
    def hostnames(self) -> tuple[str, ...]:
        """Return the names by which a route or an Ingress leads to the hub."""
        return tuple(find_hostnames(self.spec.route, self.spec.ingress))


def parse_hub(body: Mapping[str, Any]) -> Hub:
    """Parse an McpHub as the API server sends it.

    Raises:
        InvalidHub: a field is missing or invalid. The API server rejects nearly all
            of these; an older CRD may have let one through.
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
        is_being_deleted="deletionTimestamp" in metadata,
        finalizers=tuple(metadata.get("finalizers") or ()),
    )


def _sentence(error: ValidationError) -> str:
    """Name the first invalid field and the error; never repeat its value."""
    first, *others = error.errors(include_input=False, include_url=False)
    more = f" (and {len(others)} more)" if others else ""
    return f"{_path(first['loc'])}: {first['msg']}{more}"


def _path(location: tuple[int | str, ...]) -> str:
    parts = (f"[{p}]" if isinstance(p, int) else f".{p}" for p in location)
    return "spec" + "".join(parts)
