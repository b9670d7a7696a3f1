"""The page's files as responses, made once; a request changes nothing about them.

The policy in the headers lets the browser run the one script beside the page and send
requests to the hub itself. `require-trusted-types-for 'script'` with no policy that
could make such types means: no text becomes HTML or code, even by a mistake in the
script.
"""

from collections.abc import Mapping
from html import escape
from importlib.resources import files
from string import Template

from starlette.responses import Response

MEDIA_TYPES = {
    "index.html": "text/html",
    "page.css": "text/css",
    "page.js": "text/javascript",
}
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-cache",
}


def build_page(hub: str) -> Mapping[str, Response]:
    """Return the responses of the page by path; of the hub it shows the name alone."""
    return {
        f"/{'' if name == 'index.html' else name}": _build(name, hub)
        for name in MEDIA_TYPES
    }


def _build(name: str, hub: str) -> Response:
    text = (files(__package__) / name).read_text(encoding="utf-8")
    if name == "index.html":
        text = Template(text).substitute(hub=escape(hub))
    return Response(text, headers=HEADERS, media_type=MEDIA_TYPES[name])
