"""D7: hubs that exchange their node ports do not wait for each other for ever."""

import pytest

from mcphub_operator.desired import build_desired
from mcphub_operator.diff import Apply, Repair, build_plan
from mcphub_operator.node_ports import find_held_port, find_wished_port, is_exchange
from mcphub_operator.observed import HubKey
from mcphub_operator.resources.manifest import ChildId
from tests.support.observed import hub, observe, settle

A, B, C = (HubKey("team", name) for name in "abc")


@pytest.mark.parametrize(
    ("held", "wishes", "exchanges"),
    [
        pytest.param({A: 1, B: 2}, {A: 2, B: 1}, True, id="two exchange"),
        pytest.param(
            {A: 1, B: 2, C: 3}, {A: 2, B: 3, C: 1}, True, id="three in a circle"
        ),
        pytest.param({A: 1}, {A: 2}, False, id="another's Service has the port"),
        pytest.param({A: 1, B: 2}, {A: 2, B: 2}, False, id="the holder keeps it"),
        pytest.param({A: 1, B: 2}, {A: 2}, False, id="the holder takes any"),
        pytest.param({A: 1, B: 2}, {A: 2, B: 3}, False, id="the holder moves on"),
        pytest.param(
            {A: 1, B: 2, C: 3}, {A: 2, B: 3, C: 2}, False, id="a circle of others"
        ),
        pytest.param({A: 1, B: 2}, {A: 1, B: 1}, False, id="it has what it asks for"),
        pytest.param({B: 2}, {A: 2, B: 1}, False, id="it holds none"),
    ],
)
def test_a_hub_gives_up_its_port_only_in_a_circle(held, wishes, exchanges):
    assert is_exchange(A, held, wishes) == exchanges


@pytest.mark.parametrize(
    ("spec", "port"),
    [
        ({"service": {"type": "NodePort", "nodePort": 30001}}, 30001),
        ({"service": {"type": "NodePort"}}, None),
        ({"service": {"type": "LoadBalancer", "nodePort": 30001}}, None),
        ({"service": None}, None),
        ({}, None),
        ("no spec", None),
    ],
)
def test_a_wish_is_read_from_any_spec(spec, port):
    assert find_wished_port(spec) == port


def test_the_port_is_released_before_the_other_is_asked_for():
    wish = {"type": "NodePort", "nodePort": 30002}
    observed = settle(observe(hub(service={"type": "NodePort", "nodePort": 30001})))
    service = observed.children[ChildId("Service", "team-data")].read()
    assert find_held_port(service) == 30001
    now = observe(
        hub(service=wish), children=observed.children, is_exchanging_ports=True
    )

    plan = build_plan(now, build_desired(now))

    found = [s for stage in plan for s in stage if s.child.kind == "Service"]
    assert [type(step) for step in found] == [Repair, Apply]
    assert [o["path"] for o in found[0].operations] == [
        "/spec/type",
        "/spec/ports/0/nodePort",
    ]
