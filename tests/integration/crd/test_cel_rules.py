"""Every CEL rule refuses what it should, with its own sentence, on the right field."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from tests.support.hub_api import HubApi, Refused
from tools.project import CRD

from . import governed_hubs

POSTGRES = {
    "host": "postgres.data.svc",
    "database": "app",
    "credentialsSecretRef": {"name": "credentials"},
}
QDRANT = {"url": "http://qdrant.data.svc:6333"}
NEO4J = {
    "uri": "neo4j://neo4j.data.svc:7687",
    "credentialsSecretRef": {"name": "credentials"},
}
MONGODB = {
    "uri": "mongodb://mongo.data.svc:27017",
    "database": "app",
    "credentialsSecretRef": {"name": "credentials"},
}
JWT = {
    "issuer": "https://login.example.com/",
    "audience": "mcphub",
    "jwksURI": "https://login.example.com/keys",
}
ROUTE = {"parentRefs": [{"name": "edge"}], "hostnames": ["mcp.example.com"]}
INGRESS = {"host": "mcp.example.com", "className": "traefik"}
HOSTNAME = "must be a host name in lower case, such as mcp.example.com"
KEY = {"name": "credentials", "key": "key"}


def hub(name: str = "tried", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "mcp.bigtorig.com/v1alpha1",
        "kind": "McpHub",
        "metadata": {"name": name, "namespace": "default"},
        "spec": spec,
    }


def postgres(**changes: Any) -> dict[str, Any]:
    return hub(backends=[{"name": "db", "postgres": POSTGRES | changes}])


def qdrant(**changes: Any) -> dict[str, Any]:
    return hub(backends=[{"name": "db", "qdrant": QDRANT | changes}])


def neo4j(**changes: Any) -> dict[str, Any]:
    return hub(backends=[{"name": "db", "neo4j": NEO4J | changes}])


def mongodb(**changes: Any) -> dict[str, Any]:
    return hub(backends=[{"name": "db", "mongodb": MONGODB | changes}])


def peer(**fields: Any) -> dict[str, Any]:
    return hub(networkPolicy={"ingressFrom": [fields]})


def memory_target(**resources: Any) -> dict[str, Any]:
    return hub(
        autoscaling={"targetMemoryUtilizationPercentage": 80}, resources=resources
    )


def cidrs(value: str) -> dict[str, Any]:
    return hub(trustedProxies=[value])


NAME = "metadata.name must be at most 52 characters"
ONE_MEMBER = "needs exactly one of postgres, qdrant, neo4j, mongodb and kubernetes"
HOST = "must be a host name or an IP address alone"
CREDENTIALS = "takes no user name or password; put credentials into a Secret"
URL = "must be a URL such as"
MONGODB_URI = "must be a URI such as mongodb://mongo.data.svc:27017"
JWT_NEEDS = "auth.type JWT needs auth.jwt.issuer and auth.jwt.jwksURI"
NO_AUDIENCE = JWT | {"audience": ""}
PEER = "needs either ipBlock, or podSelector and namespaceSelector"
QUANTITY = "must be a quantity such as 250m, 1 or 512Mi"
BUDGET = "must be a count of 1 to 100 or a percentage"
RANGE = "must be an address range such as 10.0.0.0/8"
ALLOWED_HOST = "must be a host as browsers send it"
BOTH_KEYS = "needs both name and key"

REFUSED = [
    ("a name of 53 characters", hub("a" * 53), "metadata.name", NAME),
    *governed_hubs.REFUSED,
    ("a name that starts with a digit", hub("1hub"), "metadata.name", NAME),
    ("a name with a dot", hub("my.hub"), "metadata.name", NAME),
    (
        "a backend with two members",
        hub(backends=[{"name": "db", "postgres": POSTGRES, "qdrant": QDRANT}]),
        "spec.backends[0]",
        ONE_MEMBER,
    ),
    (
        "a backend without a member",
        hub(backends=[{"name": "db"}]),
        "spec.backends[0]",
        ONE_MEMBER,
    ),
    (
        "a host with a scheme and a password",
        postgres(host="postgres://u:hunter2@db"),
        "spec.backends[0].postgres.host",
        HOST,
    ),
    (
        "a host with a port",
        postgres(host="db:5432"),
        "spec.backends[0].postgres.host",
        HOST,
    ),
    (
        "an authority without its key",
        postgres(caSecretRef={"name": "authority"}),
        "spec.backends[0].postgres.caSecretRef",
        BOTH_KEYS,
    ),
    (
        "an API key without its Secret",
        qdrant(apiKeySecretRef={"key": "qdrant"}),
        "spec.backends[0].qdrant.apiKeySecretRef",
        BOTH_KEYS,
    ),
    (
        "a Qdrant URL with a password",
        qdrant(url="http://u:hunter2@qdrant:6333"),
        "spec.backends[0].qdrant.url",
        CREDENTIALS,
    ),
    (
        "a Qdrant URL without a scheme",
        qdrant(url="qdrant.data.svc:6333"),
        "spec.backends[0].qdrant.url",
        URL,
    ),
    (
        "a Qdrant URL with a query, which may hold a key",
        qdrant(url="http://qdrant:6333/?api_key=hunter2"),
        "spec.backends[0].qdrant.url",
        URL,
    ),
    (
        "an embedding endpoint without a model",
        qdrant(embedding={"url": "https://embeddings.example.com/v1"}),
        "spec.backends[0].qdrant.embedding",
        "needs both url and model",
    ),
    (
        "an embedding endpoint with a password",
        qdrant(embedding={"url": "https://u:hunter2@example.com", "model": "m"}),
        "spec.backends[0].qdrant.embedding.url",
        CREDENTIALS,
    ),
    (
        "a Neo4j URI with a password",
        neo4j(uri="bolt://u:hunter2@graph:7687"),
        "spec.backends[0].neo4j.uri",
        CREDENTIALS,
    ),
    (
        "a Neo4j URI over http",
        neo4j(uri="http://graph:7474"),
        "spec.backends[0].neo4j.uri",
        URL,
    ),
    (
        "nodePort with a ClusterIP service",
        hub(service={"nodePort": 30800}),
        "spec.service.nodePort",
        "nodePort needs service.type NodePort or LoadBalancer",
    ),
    (
        "local traffic with a ClusterIP service",
        hub(service={"externalTrafficPolicy": "Local"}),
        "spec.service.externalTrafficPolicy",
        "externalTrafficPolicy Local needs service.type NodePort or LoadBalancer",
    ),
    (
        "source ranges with a NodePort service",
        hub(service={"type": "NodePort", "loadBalancerSourceRanges": ["10.0.0.0/8"]}),
        "spec.service.loadBalancerSourceRanges",
        "loadBalancerSourceRanges needs service.type LoadBalancer",
    ),
    (
        "a route by a wildcard",
        hub(route=ROUTE | {"hostnames": ["*.example.com"]}),
        "spec.route.hostnames[0]",
        HOSTNAME,
    ),
    (
        "an Ingress by a URL with a password",
        hub(ingress={"host": "https://u:hunter2@mcp.example.com"}),
        "spec.ingress.host",
        HOSTNAME,
    ),
    (
        "an Ingress by an address",
        hub(ingress={"host": "192.0.2.7"}),
        "spec.ingress.host",
        HOSTNAME,
    ),
    (
        "the class of an Ingress as an annotation",
        hub(
            ingress=INGRESS | {"annotations": {"kubernetes.io/ingress.class": "nginx"}}
        ),
        "spec.ingress.annotations",
        "deprecated; set ingress.className",
    ),
    (
        "a public URL with a password",
        hub(publicURL="https://u:hunter2@mcp.example.com"),
        "spec.publicURL",
        CREDENTIALS,
    ),
    (
        "a public URL without a scheme",
        hub(publicURL="mcp.example.com"),
        "spec.publicURL",
        URL,
    ),
    (
        "a collector with a password",
        hub(observability={"otlp": {"endpoint": "http://u:hunter2@collector:4318"}}),
        "spec.observability.otlp.endpoint",
        CREDENTIALS,
    ),
    (
        "a collector that speaks gRPC",
        hub(observability={"otlp": {"endpoint": "grpc://collector:4317"}}),
        "spec.observability.otlp.endpoint",
        URL,
    ),
    (
        "headers without a collector",
        hub(observability={"otlp": {"headersSecretRef": {"name": "otlp", "key": "h"}}}),
        "spec.observability.otlp.headersSecretRef",
        "headersSecretRef needs an endpoint",
    ),
    (
        "more traces than there are",
        hub(observability={"otlp": {"endpoint": "http://c:4318", "sampleRatio": 1.5}}),
        "spec.observability.otlp.sampleRatio",
        "should be less than or equal to 1",
    ),
    (
        "a wildcard host",
        hub(allowedHosts=["*.example.com"]),
        "spec.allowedHosts[0]",
        ALLOWED_HOST,
    ),
    (
        "an allowed host with a scheme",
        hub(allowedHosts=["https://mcp.example.com"]),
        "spec.allowedHosts[0]",
        ALLOWED_HOST,
    ),
    (
        "a proxy's address without a range",
        cidrs("10.0.0.1"),
        "spec.trustedProxies[0]",
        RANGE,
    ),
    *(
        (
            f"JWT without {field}",
            hub(auth={"type": "JWT", "jwt": JWT | {field: ""}}),
            "spec.auth",
            JWT_NEEDS,
        )
        for field in ("issuer", "jwksURI")
    ),
    (
        "JWT without an audience and without a URL",
        hub(auth={"type": "JWT", "jwt": NO_AUDIENCE}),
        "spec.auth",
        "auth.jwt.audience is empty, so the hub needs publicURL, route or ingress",
    ),
    ("JWT without its section", hub(auth={"type": "JWT"}), "spec.auth", JWT_NEEDS),
    (
        "an identity provider with type Token",
        hub(auth={"jwt": JWT}),
        "spec.auth",
        "auth.jwt needs auth.type JWT",
    ),
    (
        "clients' tokens with type None",
        hub(auth={"type": "None", "tokensSecretRef": {"name": "tokens"}}),
        "spec.auth",
        "auth.tokensSecretRef needs auth.type Token",
    ),
    (
        "an issuer with a password",
        hub(auth={"type": "JWT", "jwt": JWT | {"issuer": "https://u:p@example.com"}}),
        "spec.auth.jwt.issuer",
        CREDENTIALS,
    ),
    (
        "keys behind a password",
        hub(auth={"type": "JWT", "jwt": JWT | {"jwksURI": "https://u:p@example.com"}}),
        "spec.auth.jwt.jwksURI",
        CREDENTIALS,
    ),
    (
        "fewest replicas above most",
        hub(autoscaling={"minReplicas": 5, "maxReplicas": 3}),
        "spec.autoscaling.minReplicas",
        "minReplicas must not be above maxReplicas",
    ),
    (
        "most replicas below the default of the fewest",
        hub(autoscaling={"maxReplicas": 1}),
        "spec.autoscaling.minReplicas",
        "(they default to 2 and 10)",
    ),
    (
        "a memory target without a memory request",
        memory_target(requests={"cpu": 1}),
        "spec",
        "autoscaling.targetMemoryUtilizationPercentage needs resources.requests.memory",
    ),
    (
        "autoscaling on CPU without a CPU request",
        hub(autoscaling={}, resources={"requests": {}, "limits": {}}),
        "spec",
        "autoscaling.targetCPUUtilizationPercentage needs resources.requests.cpu",
    ),
    (
        "D16 a backend's name with a hyphen",
        hub(backends=[{"name": "orders-db", "postgres": POSTGRES}]),
        "spec.backends[0].name",
        "must be lowercase letters, digits and '_', starting with a letter",
    ),
    (
        "a disruption budget of 0",
        hub(disruptionBudget={"maxUnavailable": 0}),
        "spec.disruptionBudget.maxUnavailable",
        BUDGET,
    ),
    (
        "a disruption budget beyond what Kubernetes can count",
        hub(disruptionBudget={"maxUnavailable": 617735497483}),
        "spec.disruptionBudget.maxUnavailable",
        BUDGET,
    ),
    (
        "a disruption budget of 0%",
        hub(disruptionBudget={"maxUnavailable": "0%"}),
        "spec.disruptionBudget.maxUnavailable",
        BUDGET,
    ),
    (
        "a disruption budget in words",
        hub(disruptionBudget={"maxUnavailable": "half"}),
        "spec.disruptionBudget.maxUnavailable",
        BUDGET,
    ),
    (
        "a MongoDB URI with a password",
        mongodb(uri="mongodb://u:hunter2@mongo:27017"),
        "spec.backends[0].mongodb.uri",
        CREDENTIALS,
    ),
    *(
        (
            f"a MongoDB URI {what}",
            mongodb(uri=uri),
            "spec.backends[0].mongodb.uri",
            MONGODB_URI,
        )
        for what, uri in (
            ("of another kind", "http://mongo:27017"),
            ("with a database", "mongodb://mongo:27017/app"),
            ("with options", "mongodb://mongo:27017/?tls=true"),
            ("with a port of letters", "mongodb://mongo:port"),
            ("with an empty member", "mongodb://a:1,,b:2"),
            ("of DNS with a port", "mongodb+srv://cluster.example.net:27017"),
        )
    ),
    *(
        (
            f"the database {name} of MongoDB itself",
            mongodb(database=name),
            "spec.backends[0].mongodb.database",
            "must not be admin, config or local",
        )
        for name in ("admin", "config", "local")
    ),
    ("an empty peer", peer(), "spec.networkPolicy.ingressFrom[0]", PEER),
    (
        "a peer of addresses and pods",
        peer(ipBlock={"cidr": "10.0.0.0/8"}, podSelector={}),
        "spec.networkPolicy.ingressFrom[0]",
        PEER,
    ),
    (
        "a peer of one address",
        peer(ipBlock={"cidr": "10.0.0.1"}),
        "spec.networkPolicy.ingressFrom[0].ipBlock.cidr",
        RANGE,
    ),
    (
        "a quantity in words",
        hub(resources={"requests": {"cpu": "much"}}),
        "spec.resources.requests[cpu]",
        QUANTITY,
    ),
    (
        "a negative quantity",
        hub(resources={"limits": {"memory": -1}}),
        "spec.resources.limits[memory]",
        QUANTITY,
    ),
    *(
        (
            f"a request of {resource} above its limit",
            hub(resources={"requests": {resource: big}, "limits": {resource: small}}),
            "spec.resources",
            f"requests.{resource} must not be above limits.{resource}",
        )
        for resource, big, small in (("cpu", 2, "1500m"), ("memory", "1Gi", "512Mi"))
    ),
    (
        "an annotation that belongs to the operator",
        hub(pod={"annotations": {"mcp.bigtorig.com/config-hash": "x"}}),
        "spec.pod.annotations",
        "annotations under mcp.bigtorig.com/ are reserved for the operator",
    ),
    *(
        (
            f"the operator's label {label}",
            hub(pod={"labels": {f"app.kubernetes.io/{label}": "x"}}),
            "spec.pod.labels",
            f"app.kubernetes.io/{label} is reserved for the operator",
        )
        for label in ("name", "instance", "managed-by", "version")
    ),
]

ACCEPTED = [
    ("a name of 52 characters", hub("a" * 52)),
    ("a hub without a spec", {k: v for k, v in hub().items() if k != "spec"}),
    ("no backend at all", hub(backends=[])),
    ("an IPv6 host", postgres(host="fd00::1")),
    ("a host of one letter", postgres(host="d")),
    ("a name with an underscore", postgres(host="my_db.data.svc")),
    ("a fully qualified host", postgres(host="db.example.com.")),
    ("a Qdrant URL with a path", qdrant(url="https://example.com/qdrant")),
    ("a Qdrant URL of an IPv6 address", qdrant(url="http://[fd00::1]:6333")),
    ("an '@' in a path", qdrant(url="https://example.com/a@b")),
    ("a self-signed Neo4j", neo4j(uri="bolt+ssc://graph:7687")),
    ("Aura", neo4j(uri="neo4j+s://0123abcd.databases.neo4j.io")),
    ("a replica set", mongodb(uri="mongodb://a:27017,b,[fd00::1]:27018/")),
    ("Atlas", mongodb(uri="mongodb+srv://cluster0.abc12.mongodb.net")),
    ("a node port left to Kubernetes", hub(service={"type": "NodePort"})),
    (
        "one replica at least and most",
        hub(autoscaling={"minReplicas": 3, "maxReplicas": 3}),
    ),
    (
        "a memory target with a request",
        memory_target(requests={"cpu": 1, "memory": "1Mi"}),
    ),
    ("half of the replicas", hub(disruptionBudget={"maxUnavailable": "50%"})),
    ("all of the replicas", hub(disruptionBudget={"maxUnavailable": "100%"})),
    ("a peer of all pods", peer(podSelector={})),
    ("a peer of all namespaces", peer(namespaceSelector={})),
    ("pods without limits", hub(resources={"limits": {}, "requests": {"cpu": "1.5"}})),
    ("a quantity with an exponent", hub(resources={"limits": {"memory": "1e9"}})),
    (
        "an issuer that is no URL",
        hub(auth={"type": "JWT", "jwt": JWT | {"issuer": "me"}}),
    ),
    (
        "the hub's URL as audience",
        hub(
            auth={"type": "JWT", "jwt": NO_AUDIENCE}, publicURL="https://m.example.com"
        ),
    ),
    (
        "the URL of a route as audience",
        hub(auth={"type": "JWT", "jwt": NO_AUDIENCE}, route=ROUTE),
    ),
    (
        "the URL of an Ingress as audience",
        hub(auth={"type": "JWT", "jwt": NO_AUDIENCE}, ingress=INGRESS),
    ),
    (
        "scopes with a URI's characters",
        hub(
            auth={"type": "JWT", "jwt": JWT | {"requestedScopes": ["api://a-1/x.y[]!"]}}
        ),
    ),
    ("an identity provider left empty", hub(auth={"jwt": {"issuer": ""}})),
    ("the sections left empty", hub(service={}, auth={}, pod={}, autoscaling={})),
    (
        "null where nothing is wanted",
        hub(autoscaling={"targetMemoryUtilizationPercentage": None}, replicas=None),
    ),
    *governed_hubs.ACCEPTED,
    ("a route and an Ingress", hub(route=ROUTE, ingress=INGRESS)),
    (
        "a route to a listener",
        hub(
            route=ROUTE
            | {"parentRefs": [{"name": "e", "namespace": "n", "sectionName": "s"}]}
        ),
    ),
    ("a host with a port", hub(allowedHosts=["mcp.example.com:8443"])),
    ("an IPv6 range", cidrs("fd00::/8")),
    ("a peer of IPv6 addresses", peer(ipBlock={"cidr": "fd00::/8"})),
    ("a public URL of an IPv6 address", hub(publicURL="https://[2001:db8::1]:8443")),
    *(
        (f"a Service of {policy}", hub(service={"ipFamilyPolicy": policy}))
        for policy in ("SingleStack", "PreferDualStack", "RequireDualStack")
    ),
    (
        "another label of Kubernetes' own",
        hub(pod={"labels": {"app.kubernetes.io/part-of": "x"}}),
    ),
]


def messages(schema: Any) -> Iterator[str]:
    """Yield the message of each CEL rule in a schema, wherever it stands."""
    if isinstance(schema, Mapping):
        yield from (r["message"] for r in schema.get("x-kubernetes-validations", ()))
        for nested in schema.values():
            yield from messages(nested)


@pytest.mark.parametrize(
    ("tried", "field", "sentence"),
    [pytest.param(*rest, id=name) for name, *rest in REFUSED],
)
def test_a_rule_refuses_with_its_sentence_on_the_field(
    api: HubApi, tried: dict[str, Any], field: str, sentence: str
) -> None:
    answer = api.try_hub(tried)

    assert isinstance(answer, Refused)
    assert sentence in answer.message
    assert field in answer.fields
    assert "hunter2" not in answer.message


@pytest.mark.parametrize(
    "tried", [pytest.param(tried, id=name) for name, tried in ACCEPTED]
)
def test_a_rule_lets_through_what_is_right(api: HubApi, tried: dict[str, Any]) -> None:
    answer = api.try_hub(copy.deepcopy(tried))

    assert not isinstance(answer, Refused), answer


def test_every_rule_of_the_crd_is_tried() -> None:
    tried = [sentence for *_, sentence in REFUSED]

    untried = {
        message
        for message in messages(yaml.safe_load(CRD.read_text()))
        if not any(sentence in message for sentence in tried)
    }

    assert untried == set()
