"""What refuses the writes of an operator: quotas, policies and dead webhooks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mcphub_operator.client.api import Call
from mcphub_operator.client.kinds import DEPLOYMENT, Kind
from mcphub_operator.errors import Refused, Unavailable
from tests.support.played_pods import head
from tests.support.running_operator import World
from tests.support.waiting import wait_until

QUOTA = Kind("ResourceQuota", "v1", "resourcequotas")
LIMITS = Kind("LimitRange", "v1", "limitranges")
POLICY = Kind(
    "ValidatingAdmissionPolicy",
    "admissionregistration.k8s.io/v1",
    "validatingadmissionpolicies",
    namespaced=False,
)
BINDING = Kind(
    "ValidatingAdmissionPolicyBinding",
    "admissionregistration.k8s.io/v1",
    "validatingadmissionpolicybindings",
    namespaced=False,
)
WEBHOOK = Kind(
    "ValidatingWebhookConfiguration",
    "admissionregistration.k8s.io/v1",
    "validatingwebhookconfigurations",
    namespaced=False,
)
QUICKLY_SECONDS = 5.0


async def wait_for_quota(world: World, kind: Kind) -> None:
    async def counted() -> bool:
        found = await world.get(kind, "limits")
        return kind is not QUOTA or bool((found.get("status") or {}).get("hard"))

    await wait_until(counted)


@asynccontextmanager
async def denied(world: World, resource: str, group: str) -> AsyncIterator[None]:
    """An admission policy that denies a resource in the namespace."""
    name = f"deny-{resource}-{world.namespace}"
    rule = {
        "apiGroups": [group],
        "apiVersions": ["v1"],
        "operations": ["CREATE", "UPDATE"],
        "resources": [resource],
    }
    scope = {"matchLabels": {"kubernetes.io/metadata.name": world.namespace}}
    policy = {
        "metadata": {"name": name},
        "spec": {
            "matchConstraints": {"resourceRules": [rule], "namespaceSelector": scope},
            "validations": [{"expression": "false", "message": "not in this team"}],
        },
    }
    binding = {
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"]},
    }
    await world.api.create(POLICY, world.namespace, head(POLICY) | policy)
    await world.api.create(BINDING, world.namespace, head(BINDING) | binding)
    try:
        await wait_until(lambda: _is_denied(world))
        yield
    finally:
        for kind in (BINDING, POLICY):
            call = Call("delete", kind.name, "DELETE", kind.path(None, name))
            await world.api.ask(call)


async def _is_denied(world: World) -> bool:
    """Whether the policy is in force; a dry run of what it denies tells."""
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "probe"},
        "spec": {
            "selector": {"matchLabels": {"a": "b"}},
            "template": {
                "metadata": {"labels": {"a": "b"}},
                "spec": {"containers": [{"name": "x", "image": "x"}]},
            },
        },
    }
    path = DEPLOYMENT.path(world.namespace)
    call = Call("create", "Deployment", "POST", path, {"dryRun": "All"}, body)
    try:
        await world.api.ask(call)
    except (Refused, Unavailable):
        return True
    return False


@asynccontextmanager
async def dead_webhook(world: World) -> AsyncIterator[None]:
    """An admission webhook for Deployments of the namespace that nothing serves."""
    name = f"dead.{world.namespace}.example.com"
    scope = {"matchLabels": {"kubernetes.io/metadata.name": world.namespace}}
    rule = {
        "apiGroups": ["apps"],
        "apiVersions": ["v1"],
        "operations": ["CREATE", "UPDATE"],
        "resources": ["deployments"],
    }
    webhook = {
        "name": name,
        "admissionReviewVersions": ["v1"],
        "clientConfig": {"url": "https://127.0.0.1:1/"},
        "failurePolicy": "Fail",
        "namespaceSelector": scope,
        "rules": [rule],
        "sideEffects": "None",
        "timeoutSeconds": 1,
    }
    body = head(WEBHOOK) | {"metadata": {"name": name}, "webhooks": [webhook]}
    await world.api.create(WEBHOOK, world.namespace, body)
    try:
        await wait_until(lambda: _is_denied(world))
        yield
    finally:
        call = Call("delete", WEBHOOK.name, "DELETE", WEBHOOK.path(None, name))
        await world.api.ask(call)
