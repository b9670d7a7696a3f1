"""Every example is taken as it is, and finds what it refers to in its own file."""

import json
import re
from collections import Counter
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml

from mcphub_cli.client_configs import Target, render
from mcphub_operator.names import PORT_MCP_NUMBER
from mcphub_operator.spec.hub import Hub, parse_hub
from mcphub_operator.spec.references import find_backend_services, secret_refs
from tests.support.foreign_kinds.definitions import install_foreign_kinds
from tests.support.hub_api import HubApi, Refused
from tools.project import EXAMPLES, ROOT

QUICKSTART = EXAMPLES / "quickstart" / "hub.yaml"
CLIENTS = EXAMPLES / "clients"
CLOUDS = sorted((EXAMPLES / "clouds").glob("*.yaml"))
OUTSIDE = (ROOT / "docs" / "outside.md").read_text()
HOST = "http://HOST:30800"


def documents(file: Path) -> list[dict[str, Any]]:
    return [d for d in yaml.safe_load_all(file.read_text()) if d]


def is_hub(document: dict[str, Any]) -> bool:
    return document["kind"] == "McpHub"


FILES = sorted(
    file
    for file in EXAMPLES.rglob("*.yaml")
    if any(is_hub(document) for document in documents(file))
)
HUBS = [(file, d) for file in FILES for d in documents(file) if is_hub(d)]
EACH_FILE = pytest.mark.parametrize(
    "file", FILES, ids=lambda file: str(file.relative_to(EXAMPLES))
)


def parsed(document: dict[str, Any]) -> Hub:
    metadata = {"namespace": "default"} | document["metadata"]
    return parse_hub(document | {"metadata": metadata})


def hub_of(file: Path) -> Hub:
    (hub,) = (parsed(document) for document in documents(file) if is_hub(document))
    return hub


def keys_of_secrets(file: Path) -> set[tuple[str, str]]:
    return {
        (document["metadata"]["name"], key)
        for document in documents(file)
        if document["kind"] == "Secret"
        for key in document["stringData"]
    }


UNSERVED = {"GCPBackendPolicy", "HealthCheckPolicy"}
"""Kinds whose definitions are in no registry."""


@pytest.fixture(scope="module", autouse=True)
def _namespaces(api: HubApi) -> None:
    for name in ("mcphub-demo", "shop", "metallb-system", "gateways"):
        api.server.run_kubectl("create", "namespace", name)
    install_foreign_kinds(api.server)


@EACH_FILE
def test_an_example_is_taken_without_a_warning(api: HubApi, file: Path) -> None:
    for document in documents(file):
        if is_hub(document):
            answer = api.try_hub(document)
            assert not isinstance(answer, Refused), answer
        elif document["kind"] not in UNSERVED:
            api.server.run_kubectl(
                *("create", "--dry-run=server", "--validate=strict", "-f", "-"),
                stdin=json.dumps(document),
            )


@EACH_FILE
def test_an_unchanged_example_is_unchanged(api: HubApi, file: Path) -> None:
    """D34: kubectl finds nothing to change in what the API server stored."""
    (document,) = (d for d in documents(file) if is_hub(d))
    text = json.dumps(document)

    said = [api.server.run_kubectl("apply", "-f", "-", stdin=text) for _ in range(2)]
    api.server.run_kubectl("delete", "-f", "-", stdin=text)

    assert said[0].strip().endswith("created")
    assert said[1].strip().endswith("unchanged")


@EACH_FILE
def test_the_operator_reads_it_as_the_api_server_stores_it(
    api: HubApi, file: Path
) -> None:
    (document,) = (d for d in documents(file) if is_hub(d))

    stored = api.try_hub(document)

    assert isinstance(stored, dict)
    assert parse_hub(stored).spec == parsed(document).spec


@pytest.mark.parametrize(
    "file",
    [file for file in FILES if file != QUICKSTART],
    ids=lambda file: str(file.relative_to(EXAMPLES)),
)
def test_the_secrets_beside_it_hold_every_key_that_it_reads(file: Path) -> None:
    hub = hub_of(file)

    wanted = {(ref.secret_name, ref.key) for ref in secret_refs(hub)}

    assert wanted or hub.spec.backends[0].options.NEEDS_API_TOKEN
    assert wanted <= keys_of_secrets(file)


@EACH_FILE
def test_the_secrets_beside_it_are_all_referred_to(file: Path) -> None:
    spec = hub_of(file).spec
    referred = {ref.secret_name for ref in secret_refs(hub_of(file))}
    referred |= {backend_secret(b) for b in backends_of(file)}
    referred |= {spec.auth.tokens_secret_ref.name}
    referred |= {secret.name for secret in spec.image_pull_secrets}

    beside = {name for name, _ in keys_of_secrets(file)}

    assert beside <= referred


def backends_of(file: Path) -> list[dict[str, Any]]:
    (document,) = (d for d in documents(file) if is_hub(d))
    return list(document["spec"]["backends"])


def backend_secret(backend: dict[str, Any]) -> str:
    """Name the Secret of a backend that may be disabled."""
    kinds = (v for k, v in backend.items() if k != "builtInTools")
    (settings,) = (v for v in kinds if isinstance(v, dict))
    ref = settings.get("credentialsSecretRef") or settings.get("apiKeySecretRef", {})
    return str(ref.get("name", ""))


@EACH_FILE
def test_placeholders_are_no_secrets(file: Path) -> None:
    values = [
        value
        for document in documents(file)
        for key, value in document.get("stringData", {}).items()
        if any(word in key for word in ("password", "key"))
    ]

    assert set(values) <= {"change-me"}


@EACH_FILE
def test_d11_no_example_ships_a_token_that_a_client_could_use(file: Path) -> None:
    tokens = hub_of(file).spec.auth.tokens_secret_ref.name

    assert tokens not in {name for name, _ in keys_of_secrets(file)}


def test_names_and_node_ports_do_not_collide() -> None:
    specs = [hub["spec"] for _, hub in HUBS]
    names = Counter(hub["metadata"]["name"] for _, hub in HUBS)
    ports = Counter(
        spec["service"]["nodePort"]
        for spec in specs
        if "nodePort" in spec.get("service", {})
    )

    assert [each for each, count in (names + ports).items() if count > 1] == []


@EACH_FILE
def test_d1_a_hub_has_not_the_name_of_a_database(file: Path) -> None:
    """A Service of that name in the hub's namespace is likely the database's own."""
    hub = hub_of(file)

    spec = {"backends": backends_of(file)}
    services = find_backend_services(spec, hub.namespace)

    assert hub.name not in {service.partition(".")[0] for service in services}


def test_the_list_of_examples_is_complete() -> None:
    text = (EXAMPLES / "README.md").read_text()

    unlisted = [
        file.name
        for file in FILES
        if f"`{file.name}`" not in text and f"`{file.parent.name}/`" not in text
    ]

    assert unlisted == []


@pytest.mark.parametrize(
    "topic",
    [
        pytest.param(lambda hub: hub.spec.autoscaling, id="autoscaling"),
        pytest.param(lambda hub: hub.spec.auth.jwt, id="an identity provider"),
        pytest.param(lambda hub: hub.spec.public_url, id="a proxy"),
        pytest.param(lambda hub: hub.spec.image_pull_secrets, id="a registry"),
        pytest.param(
            lambda hub: (
                Counter(b.type for b in hub.spec.backends).most_common(1)[0][1] > 1
            ),
            id="two databases of one kind",
        ),
    ],
)
def test_a_topic_has_its_example(topic: Any) -> None:
    assert any(topic(parsed(hub)) for _, hub in HUBS)


class TestClouds:
    """What no definition can say of the files in examples/clouds."""

    @pytest.mark.parametrize("file", CLOUDS, ids=lambda file: file.stem)
    def test_a_cloud_has_its_section_and_its_file_is_named_there(
        self, file: Path
    ) -> None:
        assert f"](../examples/clouds/{file.name})" in OUTSIDE

    @pytest.mark.parametrize("file", CLOUDS, ids=lambda file: file.stem)
    def test_clients_reach_the_hub_by_https(self, file: Path) -> None:
        assert hub_of(file).public_url == "https://mcp.example.com"

    def test_what_the_page_shows_beside_hubs_is_taken(self, api: HubApi) -> None:
        flags = re.DOTALL | re.MULTILINE
        blocks = re.findall(r"^( *)```yaml\n(.*?)^\1```", OUTSIDE, flags)
        shown = [yaml.safe_load(dedent(text)) for _, text in blocks]
        others = [each for each in shown if not is_hub(each)]

        for each in others:
            api.server.run_kubectl(
                *("create", "--dry-run=server", "--validate=strict", "-f", "-"),
                stdin=json.dumps(each),
            )

        assert {each["kind"] for each in others} == {"Gateway", "ClusterIssuer"}

    def test_googles_policies_are_about_the_hubs_service_and_port(self) -> None:
        file = EXAMPLES / "clouds" / "gke.yaml"
        policies = {
            each["kind"]: each["spec"]
            for each in documents(file)
            if each["kind"] in UNSERVED
        }

        targets = [spec["targetRef"] for spec in policies.values()]
        check = policies["HealthCheckPolicy"]["default"]["config"]["httpHealthCheck"]
        assert policies.keys() == UNSERVED
        assert targets == 2 * [
            {"group": "", "kind": "Service", "name": hub_of(file).name}
        ]
        assert check == {"port": PORT_MCP_NUMBER, "requestPath": "/health/ready"}

    def test_the_tunnel_leads_to_the_service_of_its_hub(self) -> None:
        file = EXAMPLES / "clouds" / "tunnel.yaml"
        hub = hub_of(file)
        (config,) = (d for d in documents(file) if d["kind"] == "ConfigMap")
        (pods,) = (d for d in documents(file) if d["kind"] == "Deployment")

        first, last = yaml.safe_load(config["data"]["config.yaml"])["ingress"]
        labels = pods["spec"]["template"]["metadata"]["labels"]
        (peer,) = hub.spec.network_policy.ingress_from
        assert first["service"] == f"http://{hub.name}:{hub.spec.service.port}"
        assert f"https://{first['hostname']}" == hub.public_url
        assert last == {"service": "http_status:404"}
        assert peer.pod_selector is not None
        assert peer.pod_selector.match_labels == labels

    @pytest.mark.parametrize("name", ["clouds/metallb.yaml", "tls.yaml"])
    def test_a_certificate_fills_the_secret_of_its_hub(self, name: str) -> None:
        file = EXAMPLES / name
        hub = hub_of(file)
        (spec,) = (d["spec"] for d in documents(file) if d["kind"] == "Certificate")

        assert hub.spec.tls is not None
        assert spec["secretName"] == hub.spec.tls.secret_ref.name
        assert [f"https://{each}" for each in spec["dnsNames"]] == [hub.public_url]


class TestClients:
    def test_claude_desktop_is_what_the_quickstart_prints(self) -> None:
        text = (CLIENTS / "claude-desktop.json").read_text()

        assert text == render("claude-desktop", Target(HOST, "TOKEN")) + "\n"

    def test_claude_code_is_what_the_quickstart_prints(self) -> None:
        text = (CLIENTS / "claude-code.sh").read_text()

        assert text == render("claude-code", Target(HOST, "TOKEN")) + "\n"

    @pytest.mark.parametrize(
        "file", sorted(CLIENTS.glob("*.json")), ids=lambda file: file.name
    )
    def test_a_configuration_is_json_with_address_and_token(self, file: Path) -> None:
        text = json.dumps(json.loads(file.read_text()))

        assert HOST in text
        assert "Bearer " in text
