"""A client for the few requests that making a cluster takes.

kubectl would do, but each call of it costs a third of a second; this one costs a TLS
handshake. It knows no kinds: paths and objects in, objects out.
"""

from __future__ import annotations

import http.client
import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tools.cluster.errors import ClusterError, StepFailed

REQUEST_SECONDS = 10.0
POLL_SECONDS = 0.1
FIELD_MANAGER = "mcphub-test-cluster"
MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
UNREACHABLE = 0


class ApiClient:
    """Calls one API server as its administrator."""

    def __init__(self, url: str, pki: Path) -> None:
        """Trust the cluster's own authority and show the admin's certificate."""
        self.url = url
        self._trust = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        self._trust.load_cert_chain(pki / "admin.crt", pki / "admin.key")

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
    ) -> tuple[int, bytes]:
        """Send one request; return the status and the body.

        A server that cannot be reached counts as status 0.
        """
        request = urllib.request.Request(
            f"{self.url}{path}",
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"Content-Type": content_type},
        )
        try:
            with urllib.request.urlopen(
                request, context=self._trust, timeout=REQUEST_SECONDS
            ) as answer:
                return int(answer.status), answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()
        except (OSError, http.client.HTTPException):
            return UNREACHABLE, b""

    def answers(self, path: str) -> bool:
        """Tell whether a GET of this path succeeds."""
        return self.call("GET", path)[0] == http.HTTPStatus.OK

    def get(self, path: str) -> dict[str, Any]:
        """Return the object at a path, or an empty one if it does not exist."""
        status, body = self.call("GET", path)
        return dict(json.loads(body)) if status == http.HTTPStatus.OK else {}

    def merge(self, path: str, change: Mapping[str, Any]) -> None:
        """Change an object by a merge patch."""
        self._checked("PATCH", path, change, MERGE_PATCH)

    def apply(self, path: str, wanted: Mapping[str, Any]) -> None:
        """Apply an object from the server's side."""
        query = f"?fieldManager={FIELD_MANAGER}&force=true"
        self._checked("PATCH", f"{path}{query}", wanted, APPLY_PATCH)

    def _checked(
        self, method: str, path: str, body: Mapping[str, Any], content_type: str
    ) -> None:
        status, answer = self.call(method, path, body, content_type)
        if status not in (http.HTTPStatus.OK, http.HTTPStatus.CREATED):
            why = answer.decode(errors="replace")[:500] or "the API does not answer"
            raise ClusterError(f"{method} {path} got {status}: {why}")


def wait_until(
    what: str,
    condition: Callable[[], bool],
    *,
    timeout_seconds: float,
    log: Path | None = None,
) -> None:
    """Wait for a condition; name it where it does not come in time.

    Raises:
        StepFailed: the time was up.
    """
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() > deadline:
            raise StepFailed(what, f"not within {timeout_seconds:.0f} s", log)
        time.sleep(POLL_SECONDS)
