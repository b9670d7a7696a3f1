from ipaddress import ip_address

import pytest

from mcphub_server.sessions.peers.announcements import FRESH_SECONDS, PeerSet
from mcphub_server.sessions.peers.dns import NoPeers
from mcphub_server.sessions.tokens.keyring import LiveKeyring
from mcphub_server.sessions.tokens.signer import TokenSigner, build_identity

ONE, TWO, THREE = "10.0.0.1", "10.0.0.2", "10.0.0.3"


class Clock:
    def __init__(self):
        self.now = 1_800_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def build(tmp_path, clock):
    def make(address, key="shared"):
        folder = tmp_path / key
        folder.mkdir(exist_ok=True)
        (folder / "current").write_text(key)
        identity = build_identity("ai", "hub", address, address)
        signer = TokenSigner(identity, LiveKeyring(folder, 180), clock)
        return PeerSet(NoPeers(), signer, clock)

    return make


async def test_who_greets_is_a_replica(build):
    one, two = build(ONE), build(TWO)

    heard = await one.record(two.build_announcement())

    assert heard
    assert await one.includes(ip_address(TWO))
    assert not await two.includes(ip_address(ONE))


async def test_who_greeted_lately_is_told_of(build):
    one, two, three = build(ONE), build(TWO), build(THREE)
    await one.record(two.build_announcement())

    await three.record(one.build_announcement())

    assert await three.includes(ip_address(TWO))


async def test_hearsay_is_not_passed_on(build):
    one, two, three = build(ONE), build(TWO), build(THREE)
    await one.record(two.build_announcement())
    await three.record(one.build_announcement())
    four = build("10.0.0.4")

    await four.record(three.build_announcement())

    assert await four.includes(ip_address(ONE))
    assert not await four.includes(ip_address(TWO))


async def test_a_announcement_is_forgotten(build, clock):
    one, two = build(ONE), build(TWO)
    await one.record(two.build_announcement())

    clock.now += FRESH_SECONDS

    assert not await one.includes(ip_address(TWO))


async def test_an_old_announcement_is_not_heard(build, clock):
    one, two = build(ONE), build(TWO)
    announcement = two.build_announcement()

    clock.now += FRESH_SECONDS + 1

    assert not await one.record(announcement)


async def test_a_stranger_is_not_heard(build):
    one, stranger = build(ONE), build(TWO, key="foreign")

    assert not await one.record(stranger.build_announcement())
    assert not await one.record("nonsense")
    assert not await one.includes(ip_address(TWO))
