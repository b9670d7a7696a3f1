"""A hub before MongoDB on a real cluster; FerretDB, a double, plays the database."""

from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport

from tests.support.hub_manifests import hub, secret
from tests.support.installation import Installation
from tests.support.mongodb.installation import install_ferretdb
from tests.support.mongodb.running import (
    DATABASE,
    READER,
    READER_PASSWORD,
    build_arguments,
    connect,
    fill,
)
from tools.cluster.archive import write_program_archive
from tools.quickstart.site import KIND

HUB, SERVER, PORT = "documents", "mongodb", 27017
IMAGE = "mcphub.test/ferretdb:1"
FOLDER = "/state"
LABELS = {"app": SERVER}


def build_server() -> list[dict[str, Any]]:
    """Return the Deployment and the Service of the double."""
    container = {
        "name": "ferretdb",
        "image": IMAGE,
        "imagePullPolicy": "Never",
        "args": [*build_arguments(FOLDER), f"--listen-addr=:{PORT}"],
        "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
        "volumeMounts": [{"name": "state", "mountPath": FOLDER}],
    }
    pod = {"containers": [container], "volumes": [{"name": "state", "emptyDir": {}}]}
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": SERVER},
            "spec": {
                "selector": {"matchLabels": LABELS},
                "template": {"metadata": {"labels": LABELS}, "spec": pod},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": SERVER},
            "spec": {"selector": LABELS, "ports": [{"port": PORT}]},
        },
    ]


@pytest.fixture(scope="module")
def team(installation: Installation, tmp_path_factory: pytest.TempPathFactory):
    """A namespace with the double, filled, and a hub before it."""
    archive = Path(tmp_path_factory.mktemp("image")) / "ferretdb.tar"
    write_program_archive(archive, IMAGE, install_ferretdb(), ())
    cluster = installation.trial.site.cluster
    load = ("load", "image-archive", "--name", cluster, str(archive))
    installation.shell.run(KIND, *load)
    team = installation.open_namespace("documents")
    team.apply(*build_server())
    team.kubectl("rollout", "status", f"deployment/{SERVER}", "--timeout=240s")
    with (
        team.forwarded(f"service/{SERVER}", PORT) as url,
        connect(url.replace("http", "mongodb", 1)) as client,
    ):
        fill(client)
    keys = {"username": READER, "password": READER_PASSWORD}
    options = {
        "uri": f"mongodb://{SERVER}.documents.svc:{PORT}",
        "database": DATABASE,
        "authSource": DATABASE,
        "credentialsSecretRef": {"name": "reader"},
        "collections": ["orders", "customers"],
    }
    backends = [{"name": "mongodb", "mongodb": options}]
    team.apply(secret("reader", keys), hub(HUB, backends=backends))
    return team


async def test_documents_are_read_and_nothing_else(team: Installation):
    team.wait_reason(HUB, "Ready", "Available")

    with team.forwarded(f"service/{HUB}") as url:
        headers = {"Authorization": f"Bearer {team.token(HUB)}"}
        async with Client(StreamableHttpTransport(f"{url}/mcp", headers)) as client:
            listed = await client.call_tool("mongodb_list_collections")
            found = await client.call_tool(
                "mongodb_find",
                {"collection": "orders", "filter": {"customer": 3}, "limit": 2},
            )
            counted = await client.call_tool(
                "mongodb_aggregate",
                {"collection": "orders", "pipeline": [{"$count": "n"}]},
            )
            stolen = await client.call_tool_mcp(
                "mongodb_find", {"collection": "secrets"}
            )
            written = await client.call_tool_mcp(
                "mongodb_aggregate",
                {"collection": "orders", "pipeline": [{"$out": "copy"}]},
            )

    names = {each["name"] for each in listed.structured_content["collections"]}
    assert names == {"orders", "customers"}
    assert found.structured_content["row_count"] == 2
    assert counted.structured_content["documents"] == [{"n": 120}]
    assert stolen.is_error
    assert "canary" not in str(stolen.content)
    assert "read-only/stage" in written.content[0].text
