"""The URIs of schemas: `mcphub://<backend>/<part>/…`, each part percent-encoded."""

from collections.abc import Sequence
from urllib.parse import quote, unquote

SCHEME = "mcphub"
LONGEST_URI = 4096


def build_uri(backend: str, path: Sequence[str]) -> str:
    """Return the URI of an object."""
    return "/".join((f"{SCHEME}://{backend}", *(quote(each, safe="") for each in path)))


def build_template(backend: str, places: Sequence[str]) -> str:
    """Return the URI template (RFC 6570) of a backend's objects."""
    return "/".join((f"{SCHEME}://{backend}", *(f"{{{place}}}" for place in places)))


def find_parts(uri: str) -> tuple[str, tuple[str, ...]] | None:
    """Return backend and path of a URI; None for any other text."""
    beginning = f"{SCHEME}://"
    if len(uri) > LONGEST_URI or not uri.startswith(beginning) or "%00" in uri:
        return None  # no database has a name with a NUL
    backend, *path = uri.removeprefix(beginning).split("/")
    try:
        return backend, tuple(unquote(each, errors="strict") for each in path)
    except UnicodeDecodeError:
        return None
