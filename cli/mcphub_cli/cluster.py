"""What this program reads from a cluster: hubs, tokens, logs, and a way to a hub."""

import base64
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from mcphub_cli import names
from mcphub_cli.arguments import find_token_flaw
from mcphub_cli.errors import ClusterError, UsageError
from mcphub_cli.hubs import Hub, parse_hub
from mcphub_cli.kubectl import Kubectl, NotFoundError


@dataclass(frozen=True, slots=True)
class Cluster:
    """One cluster, with the user's rights there."""

    kubectl: Kubectl

    def list_hubs(self, *flags: str) -> list[Hub]:
        """Return the hubs of the namespace, or of all with `--all-namespaces`."""
        items = self.kubectl.get(names.RESOURCE, *flags)["items"]
        return [parse_hub(each) for each in items]

    def get_hub(self, name: str) -> Hub:
        """Return a hub.

        Raises:
            ClusterError: it does not exist, or cannot be read.
        """
        try:
            return parse_hub(self.kubectl.get(names.RESOURCE, name))
        except NotFoundError as error:
            raise ClusterError(
                f"There is no hub {name} here: {error}"
                " `kubectl mcphub status -A` lists the hubs of all namespaces."
            ) from None

    def find_token(self, hub: Hub, given: str, client: str) -> str:
        """Return the token to send to a hub; "" if it asks for none.

        Args:
            hub: The hub.
            given: The user's own token, which wins.
            client: Whose token to read; "" for `default`, or the only one.

        Raises:
            UsageError: the user must give a token, or say whose.
            ClusterError: the Secret cannot be read, or its token be sent.
        """
        given = given.strip()
        if given or hub.auth_type == "None":
            return given
        if not hub.token_secret:
            raise UsageError(
                f"Hub {hub.name} accepts tokens of an identity provider only;"
                " put one into MCPHUB_TOKEN."
            )
        try:
            found = self.kubectl.get("secret", hub.token_secret)
        except ClusterError as error:
            raise ClusterError(
                f"The token of hub {hub.name} cannot be read: {error}"
                " Put a token into MCPHUB_TOKEN."
            ) from None
        return _choose_token(hub, found.get("data") or {}, client)

    def read_logs(self, hub: Hub, *flags: str) -> Iterator[str]:
        """Yield the lines that a hub's replicas logged.

        Raises:
            ClusterError: the logs cannot be read.
        """
        return self.kubectl.stream(
            "logs",
            f"--selector={names.selector_text(hub.name)}",
            f"--container={names.CONTAINER}",
            f"--namespace={hub.namespace}",
            "--max-log-requests=100",
            *flags,
        )

    def reach(self, hub: Hub, url: str) -> AbstractContextManager[str]:
        """Return a context with the address of a hub: the user's, or a forwarded port.

        Raises:
            ClusterError: no port can be forwarded.
        """
        if url:
            return nullcontext(url.rstrip("/").removesuffix(names.PATH_MCP))
        scheme = "https" if hub.has_tls else "http"
        return self.kubectl.forward(f"service/{hub.name}", names.PORT_MCP, scheme)


def _choose_token(hub: Hub, data: dict[str, str], client: str) -> str:
    wanted = client or (names.TOKEN_CLIENT if names.TOKEN_CLIENT in data else "")
    if not wanted and len(data) == 1:
        (wanted,) = data
    if wanted not in data:
        known = ", ".join(sorted(data)) or "no client"
        raise UsageError(
            f"Secret {hub.token_secret} has tokens of: {known}."
            " Choose one with --client, or put a token into MCPHUB_TOKEN."
        )
    token = base64.b64decode(data[wanted]).decode("utf-8-sig", "replace").strip()
    if flaw := find_token_flaw(token) or ("" if token else "is empty"):
        raise ClusterError(
            f"The token of {wanted} in Secret {hub.token_secret} {flaw}; the hub"
            " refuses it, too. Replace it, or choose another with --client."
        )
    return token
