import asyncio
from ipaddress import ip_address

from mcphub_server.sessions.peers.dns import DnsPeers, NoPeers
from tests.support.virtual_time import in_virtual_time, now

ONE, TWO = ip_address("10.0.0.1"), ip_address("10.0.0.2")


class Resolver:
    """A resolver whose answers a test sets; an exception is raised."""

    def __init__(self, *addresses):
        self.answer = frozenset(addresses)
        self.error = None
        self.asked = 0

    async def __call__(self, _name):
        self.asked += 1
        if self.error:
            raise self.error
        return self.answer


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def build(*addresses):
    resolver, clock = Resolver(*addresses), Clock()
    return DnsPeers("hub-pods.ai.svc", resolver, clock), resolver, clock


async def test_a_published_address_is_a_replica():
    replicas, _, _ = build(ONE)

    assert await replicas.includes(ONE)
    assert not await replicas.includes(TWO)


async def test_answers_are_remembered_for_a_moment():
    replicas, resolver, _ = build(ONE)

    for _ in range(5):
        await replicas.includes(ONE)

    assert resolver.asked == 1


async def test_an_unknown_address_is_asked_for_again_before_it_is_refused():
    replicas, resolver, _ = build(ONE)
    await replicas.includes(ONE)
    resolver.answer = frozenset({ONE, TWO})

    assert await replicas.includes(TWO)


async def test_an_address_that_is_no_longer_published_is_no_replica():
    replicas, resolver, clock = build(ONE, TWO)
    await replicas.includes(ONE)
    resolver.answer = frozenset({TWO})

    clock.now += 3

    assert not await replicas.includes(ONE)


async def test_many_who_ask_at_once_cost_few_look_ups():
    replicas, resolver, _ = build()
    gate = asyncio.Event()

    async def resolve(_name):
        resolver.asked += 1
        await gate.wait()
        return frozenset({ONE})

    replicas = DnsPeers("hub-pods.ai.svc", resolve)
    asking = [asyncio.create_task(replicas.includes(ONE)) for _ in range(50)]
    await asyncio.sleep(0)
    gate.set()

    assert all(await asyncio.gather(*asking))
    assert resolver.asked <= 2


async def test_a_silent_resolver_leaves_the_last_answer_in_force():
    replicas, resolver, clock = build(ONE)
    await replicas.includes(ONE)
    resolver.error = TimeoutError()

    clock.now += 3

    assert await replicas.includes(ONE)


@in_virtual_time
async def test_a_resolver_that_hangs_is_asked_once_and_delays_no_request():
    asked, gate = [], asyncio.Event()

    async def resolve(name):
        asked.append(name)
        if len(asked) > 1:
            await gate.wait()
        return frozenset({ONE})

    clock = Clock()
    replicas = DnsPeers("hub-pods.ai.svc", resolve, clock)
    assert await replicas.includes(ONE)
    clock.now += 3
    assert await replicas.includes(ONE)
    clock.now += 3

    begun = now()
    answers = [await replicas.includes(ONE) for _ in range(20)]

    assert now() == begun
    assert all(answers)
    assert len(asked) == 2
    gate.set()


@in_virtual_time
async def test_who_waits_for_one_look_up_waits_for_the_next_as_well():
    clock, gates = Clock(), [asyncio.Event(), asyncio.Event()]
    answers = [frozenset[object](), frozenset({ONE})]
    asked = []

    async def resolve(_name):
        number = len(asked)
        asked.append(number)
        await gates[number].wait()
        return answers[number]

    replicas = DnsPeers("hub-pods.ai.svc", resolve, clock)
    asking = [asyncio.create_task(replicas.includes(ONE))]
    await asyncio.sleep(0)
    clock.now += 1
    asking += [asyncio.create_task(replicas.includes(ONE)) for _ in range(3)]
    await asyncio.sleep(0)
    clock.now += 1
    gates[0].set()
    await asyncio.sleep(0.01)
    gates[1].set()

    assert await asyncio.gather(*asking) == [False, True, True, True]
    assert len(asked) == 2


@in_virtual_time
async def test_a_slow_resolver_is_waited_for_when_nothing_is_known():
    async def resolve(_name):
        await asyncio.sleep(9)  # of virtual time
        return frozenset({ONE})

    assert await DnsPeers("hub-pods.ai.svc", resolve).includes(ONE)


async def test_a_single_server_has_no_peers():
    assert not await NoPeers().includes(ONE)
