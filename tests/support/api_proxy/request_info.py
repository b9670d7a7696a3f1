"""What a request asks of the API server, in the words of authorization."""

import re
from dataclasses import dataclass

from aiohttp import web

RESOURCE = re.compile(
    r"^/(?:api/v1|apis/(?P<group>[^/]+)/[^/]+)"
    r"(?:/namespaces/(?P<namespace>[^/]+))?"
    r"/(?P<resource>[^/]+)(?:/(?P<name>[^/]+)(?:/(?P<sub>[^/]+))?)?"
)
METHODS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
APPLY = "application/apply-patch+yaml"
READS = frozenset({"get", "list", "watch"})


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """A request: its verb, and what it is about."""

    verb: str
    """One of authorization's, and `apply` for a patch by server-side apply."""

    resource: str
    """The plural, with a subresource behind a slash; empty for other paths."""

    group: str = ""
    namespace: str = ""
    name: str = ""

    @property
    def is_write(self) -> bool:
        """Tell whether it would change something."""
        return self.verb not in READS

    def __str__(self) -> str:
        return f"{self.verb} {self.resource} {self.name}".rstrip()


def read_request(request: web.Request) -> RequestInfo:
    """Tell what a request asks for."""
    found = RESOURCE.match(request.path)
    if found is None:
        return RequestInfo("get", "")
    sub = f"/{found['sub']}" if found["sub"] else ""
    return RequestInfo(
        verb=_read_verb(request, found["name"]),
        resource=found["resource"] + sub,
        group=found["group"] or "",
        namespace=found["namespace"] or "",
        name=found["name"] or "",
    )


def _read_verb(request: web.Request, name: str | None) -> str:
    if request.method in METHODS:
        applies = request.content_type == APPLY
        return "apply" if applies else METHODS[request.method]
    if "watch" in request.query:
        return "watch"
    return "get" if name else "list"
