"""The way from a command to a hub that answers, and whether it does."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mcphub_cli import names
from mcphub_cli.arguments import check_address, find_token_flaw
from mcphub_cli.cluster import Cluster
from mcphub_cli.doctor import Check, examine_status
from mcphub_cli.errors import CliError, UsageError
from mcphub_cli.hubs import Hub
from mcphub_cli.mcp_session import McpSession, open_session
from mcphub_cli.reports import read_result


@dataclass(frozen=True, slots=True)
class Access:
    """The user's own address, token and client; "" for what the cluster knows.

    `authority` is a file with the certificates that the address is signed by.

    Raises:
        UsageError: the address is not of http or https, or no header carries the token.
    """

    url: str = ""
    token: str = ""
    client: str = ""
    authority: str = ""

    def __post_init__(self) -> None:
        """Refuse what no cluster is needed for."""
        if self.url:
            check_address(self.url)
        if flaw := find_token_flaw(self.token.strip()):
            raise UsageError(f"The token of --token or MCPHUB_TOKEN {flaw}.")


@contextmanager
def open_hub(cluster: Cluster, hub: Hub, access: Access) -> Iterator[McpSession]:
    """Open a session with a hub.

    Raises:
        CliError: there is no token, no way to the hub, or it refuses.
    """
    token = cluster.find_token(hub, access.token, access.client)
    with (
        cluster.reach(hub, access.url) as url,
        open_session(
            url, token, access.authority, is_forwarded=not access.url
        ) as session,
    ):
        yield session


def examine_hub(cluster: Cluster, hub: Hub, access: Access) -> Iterator[Check]:
    """Walk from a hub to its databases, up to the first thing that is wrong.

    Raises:
        UsageError: the last step needs another command line: a token, or a client.
    """
    check = Check("status", "", "")
    for check in examine_status(hub):
        yield check
    if check.is_well:
        yield _try_calls(cluster, hub, access)


def _try_calls(cluster: Cluster, hub: Hub, access: Access) -> Check:
    """Use the hub as a client does; the status may be older than what happens."""
    try:
        with open_hub(cluster, hub, access) as session:
            tools = session.list_tools()
            health = read_result(session.call_tool(names.HEALTH_TOOL, {}))
    except UsageError:  # nothing is wrong with the hub
        raise
    except CliError as error:
        return Check("a call", "CallFailed", str(error))
    if health["status"] != names.HEALTHY:
        return Check("a call", "Degraded", health["message"])
    return Check("a call", "", f"{len(tools)} tools; {health['message']}")
