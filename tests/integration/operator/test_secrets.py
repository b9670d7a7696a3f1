"""Secrets: missing, found, rotated, shared; and that strangers' cost nothing."""

import asyncio
import base64

import pytest

from mcphub_operator import names
from mcphub_operator.client.kinds import DEPLOYMENT, HUB, SECRET
from mcphub_operator.reconcile import reconciler
from tests.support.running_operator import World, running_operator
from tests.support.waiting import wait_until


def backend(secret: str = "hub-credentials") -> dict:
    return {
        "name": "postgres",
        "postgres": {
            "host": "postgres.data.svc",
            "database": "app",
            "credentialsSecretRef": {"name": secret},
        },
    }


async def deployment_generation(world: World, name: str = "team-data") -> int:
    """What a roll of the pods raises."""
    found = await world.find(DEPLOYMENT, name)
    return found["metadata"]["generation"] if found else 0


async def generations(world: World) -> dict[str, int]:
    return {
        item["metadata"]["name"]: item["metadata"]["generation"]
        for item in await world.list(DEPLOYMENT)
    }


async def wait_deployment(world: World, name: str = "team-data") -> None:
    async def there() -> bool:
        return await deployment_generation(world, name) > 0

    await wait_until(there)


async def data_of(world: World, name: str) -> dict[str, bytes]:
    data = (await world.get(SECRET, name))["data"]
    return {key: base64.b64decode(value) for key, value in data.items()}


class TestAMissingSecret:
    async def test_is_named_and_holds_the_pods_back(self, world: World):
        async with running_operator(world) as running:
            await world.apply_hub(backends=[backend()])

            told = await world.wait_condition("SecretsResolved", "False")
            await running.settle()

            assert "Secret hub-credentials does not exist" in told["message"]
            assert await deployment_generation(world) == 0
            await world.wait_condition("Ready", "False", "SecretMissing")

    async def test_that_lacks_a_key_is_named_with_the_key(self, world: World):
        async with running_operator(world):
            await world.create_secret("hub-credentials", username="u")
            await world.apply_hub(backends=[backend()])

            told = await world.wait_condition("SecretsResolved", "False")

            assert "no key password" in told["message"]

    async def test_once_created_lets_the_hub_start_without_waiting_for_a_retry(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(reconciler, "LOOK_AGAIN_SECONDS", 3600.0)
        async with running_operator(world):
            await world.apply_hub(backends=[backend()])
            await world.wait_condition("SecretsResolved", "False")

            await world.create_secret("hub-credentials", username="u", password="p")

            await wait_deployment(world)
            await world.wait_condition("SecretsResolved", "True")
            await world.wait_condition("Stalled", "False")

    async def test_of_a_running_hub_leaves_its_pods_and_lets_it_scale(
        self, world: World
    ):
        async with running_operator(world) as running:
            await world.create_secret("hub-credentials", username="u", password="p")
            await world.apply_hub(replicas=1, backends=[backend()])
            await wait_deployment(world)
            template = (await world.get(DEPLOYMENT, "team-data"))["spec"]["template"]

            await world.delete(SECRET, "hub-credentials")
            await world.wait_condition("SecretsResolved", "False")
            await world.apply_hub(replicas=3, backends=[backend()])

            async def scaled() -> bool:
                found = await world.get(DEPLOYMENT, "team-data")
                return found["spec"]["replicas"] == 3

            await wait_until(scaled)
            await running.settle()
            found = await world.get(DEPLOYMENT, "team-data")
            assert found["spec"]["template"] == template

    async def test_with_clients_tokens_is_missed_too(self, world: World):
        async with running_operator(world):
            auth = {"type": "Token", "tokensSecretRef": {"name": "clients"}}
            await world.apply_hub(auth=auth)

            told = await world.wait_condition("SecretsResolved", "False")

            assert "clients" in told["message"]
            await world.create_secret("clients", alice="a-token")
            await world.wait_condition("SecretsResolved", "True")


class TestRotation:
    async def test_of_a_users_secret_rolls_exactly_once(self, world: World):
        async with running_operator(world) as running:
            await world.create_secret("hub-credentials", username="u", password="p")
            await world.apply_hub(backends=[backend()])
            await wait_deployment(world)
            await running.settle()
            before = await deployment_generation(world)

            await world.patch(
                SECRET, "hub-credentials", {"stringData": {"password": "q"}}
            )
            await running.settle()

            assert await deployment_generation(world) == before + 1

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param({"metadata": {"labels": {"a": "b"}}}, id="metadata"),
            pytest.param({"stringData": {"unrelated": "x"}}, id="a key of others"),
        ],
    )
    async def test_of_what_the_hub_does_not_read_rolls_nothing(
        self, world: World, change
    ):
        async with running_operator(world) as running:
            await world.create_secret("hub-credentials", username="u", password="p")
            await world.apply_hub(backends=[backend()])
            await wait_deployment(world)
            await running.settle()
            before = await deployment_generation(world)
            running.requests.forget()

            await world.patch(SECRET, "hub-credentials", change)
            await running.settle()

            assert await deployment_generation(world) == before
            assert running.requests.writes == []

    async def test_of_one_secret_rolls_every_hub_that_shares_it(self, world: World):
        """Fifty of them, each once."""
        hubs = [f"hub-{number}" for number in range(50)]
        async with running_operator(world) as running:
            await world.create_secret("hub-credentials", username="u", password="p")
            # Without replicas: what rolls is the Deployment.
            await asyncio.gather(
                *(world.apply_hub(n, replicas=0, backends=[backend()]) for n in hubs)
            )
            await running.settle()
            before = await generations(world)

            await world.patch(
                SECRET, "hub-credentials", {"stringData": {"password": "q"}}
            )
            await running.settle()

            after = await generations(world)
            assert after == {name: number + 1 for name, number in before.items()}
            assert before.keys() == set(hubs)

    async def test_asked_for_moves_the_keyring_and_rolls_nothing(self, world: World):
        async with running_operator(world) as running:
            await world.apply_hub()
            await wait_deployment(world)
            await running.settle()
            before = await deployment_generation(world)
            old_keys = await data_of(world, "team-data-keys")
            old_token = await data_of(world, "team-data-auth")
            asked = {"metadata": {"annotations": {names.ANNOTATION_ROTATE: "1"}}}

            await world.patch(HUB, "team-data", asked)

            async def rotated() -> bool:
                return await data_of(world, "team-data-keys") != old_keys

            await wait_until(rotated)
            await running.settle()
            keys = await data_of(world, "team-data-keys")
            assert keys["previous"] == old_keys["current"]
            assert keys["current"] not in old_keys.values()
            assert keys["state"] == old_keys["state"]
            assert await data_of(world, "team-data-auth") != old_token
            assert await deployment_generation(world) == before


class TestGeneratedSecrets:
    async def test_keep_a_token_that_the_user_chose(self, world: World):
        async with running_operator(world) as running:
            await world.apply_hub()
            await wait_deployment(world)
            await running.settle()

            await world.patch(
                SECRET, "team-data-auth", {"stringData": {"default": "my"}}
            )
            await running.settle()
            running.operator.enqueue_all()
            await running.settle()

            assert await data_of(world, "team-data-auth") == {"default": b"my"}

    async def test_keep_a_client_that_the_user_added(self, world: World):
        """Each key is a client; rotating and revoking are about the generated one."""
        theirs = "a-token-of-their-own"
        async with running_operator(world) as running:
            await world.apply_hub()
            await wait_deployment(world)
            await running.settle()
            before = await deployment_generation(world)
            added = {"stringData": {"etl": theirs}}
            await world.patch(SECRET, "team-data-auth", added)

            for annotation in (names.ANNOTATION_ROTATE, names.ANNOTATION_REVOKE):
                token = (await data_of(world, "team-data-auth"))["default"]
                asked = {"metadata": {"annotations": {annotation: "1"}}}
                await world.patch(HUB, "team-data", asked)

                async def is_another(old: bytes = token) -> bool:
                    return (await data_of(world, "team-data-auth"))["default"] != old

                await wait_until(is_another)
                await running.settle()
                found = await data_of(world, "team-data-auth")
                assert found["etl"] == theirs.encode()
                assert found.keys() == {"default", "etl"}

            assert await deployment_generation(world) == before

    async def test_never_show_in_the_hub_or_its_deployment(self, world: World):
        async with running_operator(world) as running:
            await world.create_secret(
                "hub-credentials", username="u", password="hunter2"
            )
            await world.apply_hub(backends=[backend()])
            await wait_deployment(world)
            await running.settle()
            token = (await data_of(world, "team-data-auth"))["default"].decode()

            seen = str(await world.get(HUB, "team-data"))
            seen += str(await world.get(DEPLOYMENT, "team-data"))

            assert token not in seen
            assert "hunter2" not in seen
