"""A Secret or ServiceAccount of others with a name that a hub needs stays theirs."""

import base64

from mcphub_operator import names
from mcphub_operator.client.kinds import HUB, SECRET, SERVICE_ACCOUNT, Kind
from tests.support.running_operator import Running, World, running_operator
from tests.support.waiting import wait_until

HUB_NAME = "team-data"
AUTH = f"{HUB_NAME}-auth"


async def offer(world: World, kind: Kind, name: str, *annotations: str) -> None:
    change = {"metadata": {"annotations": dict.fromkeys(annotations, HUB_NAME)}}
    await world.patch(kind, name, change)


async def wait_told(world: World, running: Running, *words: str) -> None:
    running.operator.enqueue_all()

    async def is_told() -> bool:
        message = str((await world.condition("Stalled")).get("message"))
        return all(word in message for word in words)

    await wait_until(is_told)
    await running.settle()


async def test_a_databases_login_does_not_become_tokens_nor_go_with_the_hub(
    world: World,
):
    await world.create_secret(AUTH, username="reader", password="a-long-password")
    login = (await world.get(SECRET, AUTH))["data"]
    async with running_operator(world) as running:
        await world.apply_hub(HUB_NAME)
        await wait_told(world, running, f"Secret {AUTH}", "other data", "rename")

        await offer(world, SECRET, AUTH, names.ANNOTATION_ADOPT)
        await wait_told(world, running, "deleted with the hub")
        assert (await world.get(SECRET, AUTH))["data"] == login

        await world.delete(HUB, HUB_NAME)
        await running.settle()
    assert (await world.get(SECRET, AUTH))["data"] == login


async def test_a_secret_of_clients_only_is_adopted_by_two_annotations(world: World):
    await world.create_secret(AUTH, alice="a-token-of-a-client")
    async with running_operator(world) as running:
        await world.apply_hub(HUB_NAME)
        await wait_told(world, running, f"Secret {AUTH}", "other data")

        both = (names.ANNOTATION_ADOPT, names.ANNOTATION_TAKE_OVER)
        await offer(world, SECRET, AUTH, *both)
        running.operator.enqueue_all()
        await world.wait_condition("Stalled", "False")
        await running.settle()

        adopted = await world.get(SECRET, AUTH)
        assert adopted["metadata"]["ownerReferences"][0]["name"] == HUB_NAME
        assert base64.b64decode(adopted["data"]["alice"]) == b"a-token-of-a-client"
        assert names.TOKEN_CLIENT in adopted["data"]


async def test_an_account_of_other_pods_is_not_adopted_by_one_annotation(world: World):
    metadata = {"name": HUB_NAME}
    await world.create(SERVICE_ACCOUNT, {"metadata": metadata})
    before = await world.get(SERVICE_ACCOUNT, HUB_NAME)
    async with running_operator(world) as running:
        await world.apply_hub(HUB_NAME)
        await wait_told(world, running, "account of other pods", "rename this hub")

        await offer(world, SERVICE_ACCOUNT, HUB_NAME, names.ANNOTATION_ADOPT)
        await wait_told(world, running, names.ANNOTATION_TAKE_OVER)

        after = await world.get(SERVICE_ACCOUNT, HUB_NAME)
        assert "ownerReferences" not in after["metadata"]
        assert "automountServiceAccountToken" not in after
        assert after["metadata"]["uid"] == before["metadata"]["uid"]
