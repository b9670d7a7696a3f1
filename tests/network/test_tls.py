"""A hub that serves TLS with a Secret in cert-manager's shape, renewed under load."""

import asyncio
import base64
import ssl
from collections.abc import Iterator
from typing import Any

import pytest

from tests.network.load import Target, calling
from tests.network.reaching import find_addresses
from tests.network.sessions import STATEFUL, check_forwarding
from tests.support.certificates import HOUR, NOW, YEAR, Issued, issue
from tests.support.hub import NO_RATE_LIMIT
from tests.support.hub_manifests import hub
from tests.support.installation import Installation

LATER = NOW + 3 * YEAR
HOST = "mcp.example.com"
HUB = "secure"
WITH_SESSIONS = "secure-sessions"
SECRET = "secure-tls"
TLS = {"secretRef": {"name": SECRET}}


def build_secret(issued: Issued) -> dict[str, Any]:
    """What cert-manager keeps: chain, key, and the authority."""
    files = {**issued.files, "ca.crt": issued.chain}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": {"name": SECRET},
        "data": {name: base64.b64encode(text).decode() for name, text in files.items()},
    }


@pytest.fixture(scope="module")
def first() -> Issued:
    return issue()


@pytest.fixture(scope="module")
def renewed() -> Issued:
    return issue(NOW - HOUR, LATER)


@pytest.fixture(scope="module")
def team(installation: Installation, first: Issued) -> Iterator[Installation]:
    team = installation.open_namespace("tls")
    team.apply(
        build_secret(first),
        hub(
            HUB,
            replicas=3,
            tls=TLS,
            limits=NO_RATE_LIMIT,
            service={"type": "NodePort"},
            allowedHosts=[HOST],
        ),
        hub(WITH_SESSIONS, replicas=2, tls=TLS, transports=STATEFUL),
    )
    for name in (HUB, WITH_SESSIONS):
        team.wait_settled(name)
        team.wait(f"mcphub/{name}", "condition=CertificateValid")
    yield team
    team.delete_namespaces(team.namespace)


def trust(*issued: Issued) -> ssl.SSLContext:
    """A client that accepts these authorities and no other."""
    context = ssl.create_default_context()
    context.load_verify_locations(cadata="".join(i.chain.decode() for i in issued))
    return context


def served_by(team: Installation) -> dict[str, bytes]:
    """The certificate that each pod of both hubs shows a new client."""
    found = {}
    for pod in [*team.pods(HUB), *team.pods(WITH_SESSIONS)]:
        address = find_addresses(pod)[0]
        shown = ssl.get_server_certificate((address, 8000), timeout=60)
        found[pod["metadata"]["name"]] = ssl.PEM_cert_to_DER_cert(shown)
    return found


def build_target(team: Installation, tls: ssl.SSLContext) -> Target:
    """The hub at a node's port, under the name in its certificate."""
    port = team.get("service", HUB)["spec"]["ports"][0]["nodePort"]
    url = f"https://{team.node_address()}:{port}/mcp"
    return Target(url, team.token(HUB), tls, HOST)


def restarts_of(team: Installation) -> dict[str, int]:
    return {
        pod["metadata"]["uid"]: pod["status"]["containerStatuses"][0]["restartCount"]
        for pod in team.pods(HUB)
    }


async def test_a_renewal_under_load_fails_no_call_and_rolls_nothing(
    team: Installation, first: Issued, renewed: Issued
):
    before = restarts_of(team)
    generation = team.get("deployment", HUB)["metadata"]["generation"]
    wanted = {ssl.PEM_cert_to_DER_cert(renewed.chain.decode())}

    target = build_target(team, trust(first, renewed))

    async with calling(target) as calls:
        await calls.wait_for(100)
        await asyncio.to_thread(team.apply, build_secret(renewed))
        await asyncio.to_thread(
            *(team.until, "the new certificate on every pod"),
            lambda: {*served_by(team).values()} == wanted,
        )
        await calls.wait_for(100)

    assert {*calls.answers} == {"good"}
    assert restarts_of(team) == before
    assert team.get("deployment", HUB)["metadata"]["generation"] == generation


class TestAfterARenewal:
    """In the order of the file: the certificate is the second one."""

    def test_the_status_is_that_of_an_https_hub(self, team: Installation):
        """The operator reads the new certificate, and its polls go on."""
        endpoints = team.get("mcphub", HUB)["status"]["endpoints"]

        assert endpoints["mcp"].startswith("https://")

        def tells_of_the_renewed_one() -> bool:
            valid = team.condition(HUB, "CertificateValid")
            return valid["status"] == "True" and f"{LATER:%Y}" in valid["message"]

        team.until("the new end in the status", tells_of_the_renewed_one)
        for condition in ("Ready", "BackendsReachable"):
            team.wait(f"mcphub/{HUB}", f"condition={condition}")

    def test_replicas_forward_to_each_other(self, team: Installation, renewed: Issued):
        check_forwarding(team, WITH_SESSIONS, trust(renewed))
