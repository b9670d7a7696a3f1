"""A hub whose pods serve TLS: its Secret comes, is renewed, and goes bad."""

import base64

from mcphub_operator.client.kinds import DEPLOYMENT, HUB, SECRET
from tests.support.certificates import HOUR, NOW, Issued, issue
from tests.support.running_operator import (
    World,
    make_pods_ready,
    running_operator,
)
from tests.support.waiting import wait_until

TLS = {"secretRef": {"name": "shop-tls"}}


async def store(world: World, issued: Issued) -> None:
    data = {k: base64.b64encode(v).decode() for k, v in issued.files.items()}
    await world.patch(SECRET, "shop-tls", {"data": data})


async def test_a_certificate_from_its_absence_to_its_renewal(world: World):
    async with running_operator(world) as running:
        await world.apply_hub(tls=TLS)
        await world.wait_condition("CertificateValid", "False", "SecretMissing")
        assert await world.find(DEPLOYMENT, "team-data") is None

        first = issue()
        texts = {name: content.decode() for name, content in first.files.items()}
        await world.create_secret("shop-tls", **texts)
        await world.wait_condition("CertificateValid", "True")
        await make_pods_ready(world, "team-data", 1)
        await world.wait_condition("Ready", "True", "Available")
        generation = (await world.get(DEPLOYMENT, "team-data"))["metadata"][
            "generation"
        ]

        renewed = issue()
        await store(world, renewed)
        await running.settle()
        await world.wait_condition("CertificateValid", "True")

        await store(world, Issued(renewed.chain, first.key))
        await world.wait_condition("Ready", "True", "CertificateKeyMismatch")
        await world.wait_condition("Stalled", "True", "CertificateKeyMismatch")

        await store(world, issue(NOW - 2 * HOUR, NOW - HOUR))
        await world.wait_condition("Ready", "True", "CertificateExpired")

        await store(world, issue())
        await world.wait_condition("Ready", "True", "Available")
        await running.settle()
        found = await world.get(DEPLOYMENT, "team-data")
        assert found["metadata"]["generation"] == generation

        async def tells_https() -> bool:
            status = (await world.get(HUB, "team-data"))["status"]
            return status["endpoints"]["mcp"].startswith("https://team-data.")

        await wait_until(tells_https)
