"""HTTPRoutes and Ingresses of hubs, with a proxy that serves what they say.

The controller is the tests' own (`edge.py`); the proxy is nginx.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx2
import pytest
from fastmcp import Client
from fastmcp.client.transports import SSETransport, StreamableHttpTransport
from websockets.asyncio.client import connect

from tests.network.edge import Edge, running_edge
from tests.network.load import CALL, Target, calling
from tests.support.certificates import HOUR, NOW, YEAR, Issued, issue
from tests.support.gateway_api.definition import NAME, find_definition
from tests.support.hub import NO_RATE_LIMIT
from tests.support.hub_manifests import hub
from tests.support.installation import Installation
from tools.ports import reserve_port

HOSTS = {"routed": "route.example.com", "ingressed": "ingress.example.com"}
EACH = pytest.mark.parametrize("name", HOSTS)
LARGEST_BODY = 4 * 1024 * 1024
ROUTING = {
    "routed": {
        "route": {
            "parentRefs": [{"name": "edge"}],
            "hostnames": [HOSTS["routed"]],
        }
    },
    "ingressed": {
        "ingress": {
            "className": "edge",
            "host": HOSTS["ingressed"],
            "tlsSecretRef": {"name": "edge-tls"},
        }
    },
}


@pytest.fixture(scope="module")
def certificate() -> Issued:
    return issue(NOW - HOUR, NOW + YEAR, *HOSTS.values())


@pytest.fixture(scope="module")
def team(installation: Installation) -> Iterator[Installation]:
    installation.kubectl("apply", "--server-side", "-f", str(find_definition()))
    installation.kubectl("wait", "--for=condition=Established", f"crd/{NAME}")
    team = installation.open_namespace("gateways")
    common = {
        "replicas": 2,
        "limits": NO_RATE_LIMIT,
        "transports": {"webSocket": {"enabled": True}},
    }
    team.apply(*(hub(name, **common, **ROUTING[name]) for name in HOSTS))
    for name in HOSTS:
        team.wait_settled(name)
    yield team
    team.delete_namespaces(team.namespace)


@pytest.fixture(scope="module")
def edge(
    team: Installation,
    certificate: Issued,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Edge]:
    folder = tmp_path_factory.mktemp("edge")
    folder.chmod(0o755)
    certificate.write(folder / "tls")
    with running_edge(team, folder, reserve_port()) as edge:
        for name in HOSTS:
            team.wait(f"mcphub/{name}", "condition=Routed")
        yield edge


@pytest.fixture
def tls(certificate: Issued) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=certificate.chain.decode())


class ToEdge(httpx2.AsyncHTTPTransport):
    """Reaches the proxy under the host name of a hub."""

    def __init__(self, port: int, tls: ssl.SSLContext) -> None:
        super().__init__(verify=tls)
        self._port = port

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        name = request.url.host
        request.extensions = {**request.extensions, "sni_hostname": name}
        request.url = request.url.copy_with(host="127.0.0.1", port=self._port)
        return await super().handle_async_request(request)


def bearer(team: Installation, name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {team.token(name)}"}


@EACH
def test_the_status_has_the_url_of_the_edge(team: Installation, edge: Edge, name: str):
    assert edge.reloads > 0
    team.wait(
        f"mcphub/{name}",
        f"jsonpath={{.status.endpoints.mcp}}=https://{HOSTS[name]}/mcp",
    )


@EACH
@pytest.mark.parametrize("path", ["/mcp", "/sse"])
async def test_a_client_lists_tools_and_calls_one(
    team: Installation, edge: Edge, tls: ssl.SSLContext, name: str, path: str
):
    def build_http(**options: object) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=ToEdge(edge.port, tls), **options)  # type: ignore[arg-type]

    kind = SSETransport if path == "/sse" else StreamableHttpTransport
    transport = kind(
        f"https://{HOSTS[name]}{path}",
        headers=bearer(team, name),
        httpx_client_factory=build_http,  # type: ignore[arg-type]
    )
    async with Client(transport, timeout=60) as client:
        tools = {tool.name for tool in await client.list_tools()}
        answer = await client.call_tool("postgres_query", {"sql": "SELECT 1 AS one"})

    assert "postgres_query" in tools
    assert answer.structured_content["rows"] == [[1]]


@EACH
async def test_a_websocket_passes(
    team: Installation, edge: Edge, tls: ssl.SSLContext, name: str
):
    async with connect(
        f"wss://{HOSTS[name]}/mcp",
        host="127.0.0.1",
        port=edge.port,
        ssl=tls,
        additional_headers=bearer(team, name),
        subprotocols=["mcp"],  # type: ignore[list-item]
        proxy=None,
    ) as connection:
        await connection.send('{"jsonrpc": "2.0", "id": 1, "method": "ping"}')
        answer = json.loads(await connection.recv())

    assert answer["result"] == {}


@EACH
async def test_a_body_of_4_mib_passes_and_a_larger_one_is_the_hubs_to_refuse(
    team: Installation, edge: Edge, tls: ssl.SSLContext, name: str
):
    target = build_target(team, edge, tls, name)
    body = json.dumps(CALL).encode()
    sizes = (LARGEST_BODY, LARGEST_BODY + 1)

    async with target.open() as http:
        answers = [
            await http.post(
                target.url,
                content=body.ljust(size),
                headers={"Content-Type": "application/json"},
                extensions=dict(target.extensions),
            )
            for size in sizes
        ]

    assert [answer.status_code for answer in answers] == [200, 413]
    assert "jsonrpc" in answers[1].text


def build_target(
    team: Installation, edge: Edge, tls: ssl.SSLContext, name: str
) -> Target:
    url = f"https://127.0.0.1:{edge.port}/mcp"
    return Target(url, team.token(name), tls, HOSTS[name])


@asynccontextmanager
async def under_load(
    team: Installation, edge: Edge, tls: ssl.SSLContext, name: str
) -> AsyncIterator[None]:
    """Let clients call before, during and after the block; none may fail."""
    target = build_target(team, edge, tls, name)
    async with calling(target, keeps=False) as calls:
        await calls.wait_for(100)
        yield
        await calls.wait_for(100)
    assert {*calls.answers} == {"good"}


@EACH
async def test_a_rollout_of_the_hub_loses_no_call(
    team: Installation, edge: Edge, tls: ssl.SSLContext, name: str
):
    before, reloads = team.pod_names(name), edge.reloads

    def roll() -> None:
        team.kubectl("annotate", "mcphub", name, "mcp.bigtorig.com/restart=now")
        team.until("new pods", lambda: not team.pod_names(name) & before)
        team.wait_settled(name)

    async with under_load(team, edge, tls, name):
        await asyncio.to_thread(roll)

    assert edge.reloads > reloads


@EACH
async def test_a_rollout_of_the_proxy_loses_no_call(
    team: Installation, edge: Edge, tls: ssl.SSLContext, name: str
):
    """nginx replaces its workers, which end their connections between two calls."""
    async with under_load(team, edge, tls, name):
        for _ in range(5):
            await asyncio.to_thread(edge.reload)
            await asyncio.sleep(0.5)  # between two reloads calls have to be made
