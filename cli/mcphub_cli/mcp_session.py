"""A session with a hub over streamable HTTP, as far as this program needs one.

The MCP specification, revision 2025-06-18, sections "Transports" and "Lifecycle". The
SDK's client would bring forty packages and a second of imports to each command.
"""

import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from http.client import HTTPResponse as Response
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urljoin, urlsplit
from urllib.request import (
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    build_opener,
)

from mcphub_cli import names
from mcphub_cli.errors import HubError, UsageError

REVISION = "2025-06-18"
TIMEOUT_SECONDS = 120.0
MAX_REDIRECTS = 5
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_REASONS = {
    401: "it does not accept the token",
    403: "it refuses this client",
    404: "there is no hub at this address",
    421: "it does not know this host name; see spec.allowedHosts",
    503: "it is busy or being replaced; try again",
}


@dataclass(slots=True)
class McpSession:
    """An open session; `open_session` makes one."""

    url: str
    token: str = field(repr=False)
    opener: OpenerDirector
    session_id: str = ""
    revision: str = ""
    _last_id: int = 0

    def list_tools(self) -> list[dict[str, Any]]:
        """Return every tool that the client may call.

        Raises:
            HubError: the hub does not answer, or refuses.
        """
        tools: list[dict[str, Any]] = []
        page: dict[str, Any] = {"nextCursor": None}
        while "nextCursor" in page:
            cursor = page["nextCursor"]
            page = self.request("tools/list", {"cursor": cursor} if cursor else {})
            tools += page["tools"]
        return tools

    def call_tool(self, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the result of a call; a tool's own error has `isError`.

        Raises:
            HubError: the hub does not answer, or refuses.
        """
        return self.request("tools/call", {"name": name, "arguments": arguments})

    def request(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Send a request and return its result.

        Raises:
            HubError: the hub does not answer, or answers with an error.
        """
        self._last_id += 1
        message = {"jsonrpc": "2.0", "id": self._last_id, "method": method}
        with self._send("POST", {**message, "params": dict(params)}) as response:
            self.session_id = response.headers.get("Mcp-Session-Id") or self.session_id
            answer = self._read_answer(response)
        if "error" in answer:
            raise HubError(f"The hub refuses {method}: {answer['error']['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    def notify(self, method: str) -> None:
        """Send a message that has no answer."""
        self._send("POST", {"jsonrpc": "2.0", "method": method}).close()

    def end(self) -> None:
        """End the session at the hub, if it has one."""
        if self.session_id:
            self._send("DELETE", None).close()

    def _read_answer(self, response: Response) -> dict[str, Any]:
        for message in _read_messages(response):
            if message.get("id") == self._last_id and "method" not in message:
                return message
        raise HubError(f"The hub at {self.url} closed the connection before its answer")

    def _send(self, method: str, message: Mapping[str, Any] | None) -> Response:
        url = self.url
        for _ in range(MAX_REDIRECTS):
            try:
                response: Response = self.opener.open(
                    self._build_request(url, method, message), timeout=TIMEOUT_SECONDS
                )
            except HTTPError as error:
                location = error.headers.get("Location")
                if not location or not self._is_same_host(urljoin(url, location)):
                    raise _explain(self.url, error) from None
                url = urljoin(url, location)  # a replica that drains sends clients on
            except (URLError, HTTPException, OSError) as error:
                reason = error.reason if isinstance(error, URLError) else error
                why = _explain_silence(reason)
                raise HubError(f"No hub answers at {self.url}: {why}") from None
            else:
                return response
        raise HubError(f"The hub at {self.url} redirects again and again")

    def _is_same_host(self, url: str) -> bool:
        return urlsplit(url)[:2] == urlsplit(self.url)[:2]  # a token goes nowhere else

    def _build_request(
        self, url: str, method: str, message: Mapping[str, Any] | None
    ) -> Request:
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "User-Agent": "kubectl-mcphub",
        }
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.session_id:
            headers["Mcp-Session-Id"] = self.session_id
        if self.revision:
            headers["MCP-Protocol-Version"] = self.revision
        body = None if message is None else json.dumps(message).encode()
        return Request(url, body, headers, method=method)  # noqa: S310 - see `check_address`


@contextmanager
def open_session(
    base_url: str, token: str, authority: str = "", *, is_forwarded: bool = False
) -> Iterator[McpSession]:
    """Open a session with the hub at an address, and end it afterwards.

    Args:
        base_url: The address, of http or https, without `/mcp`.
        token: The token to send, which a header can carry; "" for none.
        authority: A file of certificates; "" for the public authorities.
        is_forwarded: The API server leads the address to a pod, whose certificate
            names another host.

    Raises:
        UsageError: the file cannot be used.
        HubError: the hub does not answer, or refuses.
    """
    is_near = urlsplit(base_url).hostname in _LOOPBACK
    proxies: dict[str, str] | None = {} if is_near else None
    trust = _build_trust(authority)
    if is_forwarded:
        trust.check_hostname = False
    if is_forwarded and not authority:
        trust.verify_mode = ssl.CERT_NONE
    handlers = (ProxyHandler(proxies), HTTPSHandler(context=trust), _NoRedirects())
    opener = build_opener(*handlers)
    session = McpSession(base_url + names.PATH_MCP, token, opener)
    client = {"name": "kubectl-mcphub", "version": "1"}
    params = {"protocolVersion": REVISION, "capabilities": {}, "clientInfo": client}
    session.revision = session.request("initialize", params)["protocolVersion"]
    session.notify("notifications/initialized")
    try:
        yield session
    finally:
        session.end()


def _build_trust(authority: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=authority or None)
    except (OSError, ssl.SSLError):
        raise UsageError(
            f"{authority} cannot be read, or holds no certificate in PEM"
        ) from None


def _explain_silence(reason: object) -> str:
    if isinstance(reason, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not trusted ({reason.verify_message}); pass the file"
            " of its authority with --certificate-authority"
        )
    return str(reason)


class _NoRedirects(HTTPRedirectHandler):
    """Leaves redirects to the session: Python's own loses a POST's body."""

    def redirect_request(self, *_: object) -> None:
        return None


def _read_messages(response: Response) -> Iterator[dict[str, Any]]:
    """Yield the JSON-RPC messages of a response: a JSON body, or an event stream."""
    if response.headers.get_content_type() == "application/json":
        yield json.load(response)
        return
    data: list[str] = []
    for raw in response:
        line = raw.decode().rstrip("\r\n")
        if line.startswith("data:"):
            data.append(line.removeprefix("data:").removeprefix(" "))
        elif not line and any(data):
            yield json.loads("\n".join(data))
            data = []


def _explain(url: str, error: HTTPError) -> HubError:
    reason = _REASONS.get(error.code, "")
    told = _read_error(error)
    texts = "; ".join(text for text in (reason, told) if text)
    return HubError(f"The hub at {url} answers with status {error.code}: {texts}")


def _read_error(error: HTTPError) -> str:
    """Return the sentence in the body of a refusal, if it has one."""
    try:
        told = json.loads(error.read())["error"]
    except (ValueError, KeyError, TypeError, OSError):
        return ""
    return str(told["message"] if isinstance(told, dict) else told)
