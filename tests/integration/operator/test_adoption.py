"""What a spec names is never deleted, and adoption takes nothing from anyone."""

from typing import Any

import pytest

from mcphub_operator import names
from mcphub_operator.client.kinds import (
    AUTOSCALER,
    DEPLOYMENT,
    HUB,
    POD,
    SECRET,
    SERVICE,
    Kind,
)
from tests.support.running_operator import World, make_pods_ready, running_operator
from tests.support.waiting import wait_until

AUTH = "team-data-auth"
JWT = {
    "type": "JWT",
    "jwt": {
        "issuer": "https://issuer.example.com",
        "audience": "hub",
        "jwksURI": "https://issuer.example.com/keys",
    },
}


async def wait_secret(world: World, name: str = AUTH) -> dict[str, Any]:
    async def there() -> bool:
        return await world.find(SECRET, name) is not None

    await wait_until(there)
    return await world.get(SECRET, name)


class TestD22ASecretThatASpecNames:
    async def test_is_kept_when_it_was_made_by_the_operator(self, world: World):
        async with running_operator(world) as running:
            await world.apply_hub()
            made = await wait_secret(world)
            await running.settle()

            await world.apply_hub(auth={"tokensSecretRef": {"name": AUTH}})
            await world.wait_condition("SecretsResolved", "True")
            await running.settle()

            kept = await world.get(SECRET, AUTH)
            assert kept["metadata"]["uid"] == made["metadata"]["uid"]
            assert kept["data"] == made["data"]
            await world.wait_condition("Stalled", "False")

            await world.apply_hub()
            await running.settle()

            again = await world.get(SECRET, AUTH)
            assert again["data"] == made["data"]

    async def test_of_another_hub_is_kept(self, world: World):
        async with running_operator(world) as running:
            await world.apply_hub()
            made = await wait_secret(world)
            await world.apply_hub("second", auth={"tokensSecretRef": {"name": AUTH}})
            await running.settle()

            await world.apply_hub(auth=JWT)
            await running.settle()

            kept = await world.get(SECRET, AUTH)
            assert kept["data"] == made["data"]

    async def test_as_a_password_or_pull_secret_is_kept(self, world: World):
        login = {"name": AUTH, "usernameKey": "default", "passwordKey": "default"}
        backend = {
            "name": "db",
            "postgres": {
                "host": "db.example.com",
                "database": "app",
                "credentialsSecretRef": login,
            },
        }
        async with running_operator(world) as running:
            await world.apply_hub()
            await wait_secret(world)
            await world.apply_hub("pulls", imagePullSecrets=[{"name": AUTH}])
            await running.settle()

            await world.apply_hub(auth=JWT, backends=[backend])
            await running.settle()
            assert await world.find(SECRET, AUTH) is not None

            await world.apply_hub(auth=JWT)
            await running.settle()
            assert await world.find(SECRET, AUTH) is not None

    async def test_is_kept_by_an_operator_that_has_just_started(self, world: World):
        async with running_operator(world) as running:
            await world.apply_hub()
            await wait_secret(world)
            await world.apply_hub("a-first", auth={"tokensSecretRef": {"name": AUTH}})
            await world.apply_hub("z-last", auth={"tokensSecretRef": {"name": AUTH}})
            await running.settle()
        await world.apply_hub(auth=JWT)
        async with running_operator(world) as restarted:
            await restarted.settle()

            assert await world.find(SECRET, AUTH) is not None

    async def test_is_deleted_once_no_spec_names_it(self, world: World):
        async with running_operator(world):
            await world.apply_hub()
            await wait_secret(world)

            await world.apply_hub(auth=JWT)

            async def is_gone() -> bool:
                return await world.find(SECRET, AUTH) is None

            await wait_until(is_gone)


async def test_d22_a_users_copy_of_a_child_is_not_deleted(world: World):
    async with running_operator(world) as running:
        await world.apply_hub()
        made = await wait_secret(world)
        kept = ("labels", "annotations", "ownerReferences")
        metadata = {k: made["metadata"][k] for k in kept if k in made["metadata"]}

        await world.create(
            SECRET, {"metadata": metadata | {"name": "copy"}, "data": made["data"]}
        )
        await running.settle()
        running.operator.enqueue_all()
        await running.settle()

        assert await world.find(SECRET, "copy") is not None


DATABASE = {
    "selector": {"app": "postgres"},
    "ports": [{"name": "sql", "port": 5432}],
}


async def offer(world: World, *annotations: str) -> None:
    offered = dict.fromkeys(annotations, "team-data")
    change = {"metadata": {"annotations": offered}}
    await world.patch(SERVICE, "team-data", change)


class TestD1AServiceWithAForeignSelector:
    async def test_is_not_adopted_by_the_first_annotation(self, world: World):
        await world.create(
            SERVICE, {"metadata": {"name": "team-data"}, "spec": DATABASE}
        )
        async with running_operator(world) as running:
            await world.apply_hub()
            told = await world.wait_condition("Stalled", "True", "Conflict")
            assert "rename this hub" in told["message"]
            assert names.ANNOTATION_ADOPT not in told["message"]

            await offer(world, names.ANNOTATION_ADOPT)
            await make_pods_ready(world, "team-data", 1)
            await running.settle()
            running.operator.enqueue_all()
            await running.settle()

            told = await world.condition("Stalled")
            assert names.ANNOTATION_TAKE_OVER in told["message"]
            kept = await world.get(SERVICE, "team-data")
            assert kept["spec"]["selector"] == DATABASE["selector"]
            assert "ownerReferences" not in kept["metadata"]

    @pytest.mark.parametrize(
        "host", ["team-data", "team-data.{}", "team-data.{}.svc.cluster.local."]
    )
    async def test_is_never_adopted_while_a_backend_is_reached_by_it(
        self, world: World, host: str
    ):
        await world.create(
            SERVICE, {"metadata": {"name": "team-data"}, "spec": DATABASE}
        )
        await world.create_secret("login", username="u", password="p")
        backend = {
            "name": "db",
            "postgres": {
                "host": host.format(world.namespace),
                "database": "app",
                "credentialsSecretRef": {"name": "login"},
            },
        }
        async with running_operator(world) as running:
            await world.apply_hub("other", backends=[backend], replicas=0)
            await world.apply_hub()
            await world.wait_condition("Stalled", "True", "Conflict")
            await make_pods_ready(world, "team-data", 1)
            await offer(world, names.ANNOTATION_ADOPT, names.ANNOTATION_TAKE_OVER)
            await running.settle()
            running.operator.enqueue_all()
            await running.settle()

            told = await world.condition("Stalled")
            assert "a hub reaches a backend by it" in told["message"]
            kept = await world.get(SERVICE, "team-data")
            assert kept["spec"]["selector"] == DATABASE["selector"]

    async def test_is_taken_over_once_a_pod_is_ready(self, world: World):
        await world.create(
            SERVICE, {"metadata": {"name": "team-data"}, "spec": DATABASE}
        )
        await offer(world, names.ANNOTATION_ADOPT, names.ANNOTATION_TAKE_OVER)
        async with running_operator(world) as running:
            await world.apply_hub()
            told = await world.wait_condition("Stalled", "True", "Conflict")
            await running.settle()
            assert "once a pod of this hub is ready" in told["message"]
            kept = await world.get(SERVICE, "team-data")
            assert kept["spec"]["selector"] == DATABASE["selector"]

            await make_pods_ready(world, "team-data", 1)

            async def is_taken() -> bool:
                found = await world.get(SERVICE, "team-data")
                selector = found["spec"]["selector"]
                return bool(selector == names.selector_labels("team-data"))

            await wait_until(is_taken)
            await world.wait_condition("Ready", "True")
            found = await world.get(SERVICE, "team-data")
            assert [port["port"] for port in found["spec"]["ports"]] == [8000]


@pytest.mark.parametrize("name", ["", "http"])
async def test_a_service_that_is_taken_over_keeps_its_port(world: World, name: str):
    """Nodes refuse connections while the name of a port changes."""
    port = {"name": name, "port": 8000, "targetPort": 80}
    extra = {"name": "extra", "port": 3000}
    spec = {
        "type": "NodePort",
        "selector": {"app": "theirs"},
        "ports": [port, extra] if name else [port],
    }
    made = await world.create(
        SERVICE, {"metadata": {"name": "team-data"}, "spec": spec}
    )
    before = made["spec"]["ports"][0]
    await offer(world, names.ANNOTATION_ADOPT, names.ANNOTATION_TAKE_OVER)
    async with running_operator(world) as running:
        await world.apply_hub(service={"type": "NodePort", "portName": name})
        await world.wait_condition("Stalled", "True", "Conflict")

        await make_pods_ready(world, "team-data", 1)
        await world.wait_condition("Stalled", "False")
        await running.settle()

        found = await world.get(SERVICE, "team-data")
        assert found["spec"]["ports"] == [before | {"targetPort": names.PORT_MCP}]
        assert found["spec"]["selector"] == names.selector_labels("team-data")
        running.requests.forget()
        running.operator.enqueue_all()
        await running.settle()
        assert running.requests.writes == []


async def test_d1_a_deployment_of_other_pods_is_never_adopted(world: World):
    pods = {"app": "theirs"}
    theirs = await world.create(
        DEPLOYMENT,
        {
            "metadata": {
                "name": "team-data",
                "annotations": {
                    names.ANNOTATION_ADOPT: "team-data",
                    names.ANNOTATION_TAKE_OVER: "team-data",
                },
            },
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": pods},
                "template": {
                    "metadata": {"labels": pods},
                    "spec": {"containers": [{"name": "theirs", "image": "theirs"}]},
                },
            },
        },
    )
    async with running_operator(world) as running:
        await world.apply_hub()

        told = await world.wait_condition("Stalled", "True", "Conflict")
        await running.settle()

        assert "a selector cannot be changed" in told["message"]
        kept = await world.get(DEPLOYMENT, "team-data")
        assert kept["metadata"]["uid"] == theirs["metadata"]["uid"]
        assert kept["spec"]["selector"] == {"matchLabels": pods}


@pytest.mark.parametrize("kind", [DEPLOYMENT, SERVICE, SECRET])
async def test_d30_an_owner_reference_that_was_removed_is_put_back(world, kind):
    name = f"team-data{'-keys' if kind is SECRET else ''}"
    async with running_operator(world) as running:
        await world.apply_hub()
        await world.wait_condition("Stalled", "False")
        await running.settle()
        before = await world.get(kind, name)

        await world.patch(kind, name, {"metadata": {"ownerReferences": None}})

        async def is_back() -> bool:
            found = await world.get(kind, name)
            return bool(found["metadata"].get("ownerReferences"))

        await wait_until(is_back)
        found = await world.get(kind, name)
        assert found["metadata"]["uid"] == before["metadata"]["uid"]
        await running.settle()
        await world.wait_condition("Stalled", "False")


@pytest.mark.parametrize("kind", [SERVICE, SECRET, AUTOSCALER], ids=lambda k: k.name)
@pytest.mark.parametrize("instance", [None, "another-hub"])
async def test_d30_a_child_that_is_taken_from_its_hub_is_told(
    world: World, kind: Kind, instance: str | None
):
    name = f"team-data{'-keys' if kind is SECRET else ''}"
    async with running_operator(world) as running:
        await world.apply_hub(autoscaling={"minReplicas": 1, "maxReplicas": 2})
        await world.wait_condition("Stalled", "False")
        await running.settle()
        taken = {
            "ownerReferences": None,
            "labels": {
                names.LABEL_INSTANCE: instance,
                names.LABEL_MANAGED_BY: instance and names.OPERATOR_NAME,
            },
        }

        await world.patch(kind, name, {"metadata": taken})

        told = await world.wait_condition("Stalled", "True", "Conflict")
        assert name in told["message"]
        adopt = {"metadata": {"annotations": {names.ANNOTATION_ADOPT: "team-data"}}}
        await world.patch(kind, name, adopt)
        await world.wait_condition("Stalled", "False")
        found = await world.get(kind, name)
        assert found["metadata"]["ownerReferences"][0]["name"] == "team-data"


async def test_d38_conditions_of_other_controllers_stay(world: World):
    async with running_operator(world) as running:
        await world.apply_hub()
        await world.wait_condition("Stalled", "False")
        await running.settle()
        theirs = {
            "type": "example.com/Reviewed",
            "status": "True",
            "reason": "Signed",
            "message": "by a reviewer",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
        hub = await world.get(HUB, "team-data")
        conditions = [*hub["status"]["conditions"], theirs]

        await world.patch(
            HUB, "team-data", {"status": {"conditions": conditions}}, "/status"
        )
        await world.apply_hub(replicas=2)
        await world.wait_condition("Reconciling", "True")
        await running.settle()

        assert await world.condition("example.com/Reviewed") == theirs


async def test_d27_a_pod_that_carries_the_hubs_labels_does_not_count(world: World):
    stranger = {
        "metadata": {
            "name": "stranger",
            "labels": names.selector_labels("team-data"),
        },
        "spec": {"containers": [{"name": "x", "image": "x"}]},
    }
    async with running_operator(world) as running:
        await world.apply_hub()
        await world.wait_condition("Stalled", "False")
        await running.settle()

        await world.create(POD, stranger)
        await make_pods_ready(world, "team-data", 1)
        await running.settle()

        found = {pod.name for _, pod in running.operator.caches.pods.all()}
        assert "stranger" not in found
        assert len(found) == 1


async def test_d26_a_hub_that_is_created_paused_says_so(world: World):
    async with running_operator(world) as running:
        await world.apply_hub(paused=True)

        await world.wait_condition("Ready", "False", "PausedBySpec")

        await running.settle()
        assert await world.find(DEPLOYMENT, "team-data") is None


async def test_d28_the_status_follows_while_deletion_waits(world: World):
    async with running_operator(world) as running:
        await world.apply_hub()
        await world.wait_condition("Stalled", "False")
        await make_pods_ready(world, "team-data", 1)
        await world.wait_condition("Ready", "True")
        both = ["example.com/waits", "example.com/too"]
        await world.patch(HUB, "team-data", {"metadata": {"finalizers": both}})
        await world.delete(HUB, "team-data")
        told = await world.wait_condition("Reconciling", "True", "Deleting")
        assert "example.com/waits, example.com/too" in told["message"]
        await world.wait_condition("Ready", "True", "Deleting")
        await running.settle()
        kept = {"metadata": {"finalizers": ["example.com/waits"]}}
        await world.patch(HUB, "team-data", kept)

        async def is_told() -> bool:
            told = await world.condition("Ready")
            return "example.com/too" not in told["message"]

        await wait_until(is_told)

        await world.delete(DEPLOYMENT, "team-data")

        await world.wait_condition("Ready", "False", "Deleting")
        await running.settle()
        hub = await world.get(HUB, "team-data")
        assert "endpoints" not in hub["status"]
        assert await world.find(DEPLOYMENT, "team-data") is None
        await world.patch(HUB, "team-data", {"metadata": {"finalizers": None}})
