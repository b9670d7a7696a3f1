"""A pass over a hub is one trace, with each request that it made."""

import asyncio
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry

from mcphub_operator.tracing.factory import build_tracing, has_collector
from tests.support.otlp import Receiver, SeenSpan, receiving
from tests.support.running_operator import World, running_operator


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with receiving() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=a%20secret")
        monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "cluster=test")
        yield receiver


async def test_a_pass_over_a_hub_is_one_trace(world: World, receiver: Receiver) -> None:
    tracing = build_tracing(CollectorRegistry())
    async with running_operator(world, tracing) as running:
        await world.apply_hub("traced")
        await running.settle()
        tracing.close()

    def find(spans: list[SeenSpan]) -> list[tuple[SeenSpan, SeenSpan]]:
        """Return each write of a Deployment with its pass, which ends later."""
        return [
            (span, parent)
            for span in spans
            if span.name == "apply Deployment"
            for parent in spans
            if parent.id == span.parent
        ]

    spans = await asyncio.to_thread(receiver.wait_for, find)
    write, parent = find(spans)[0]
    assert (parent.name, parent.parent, parent.failed) == ("reconcile", "", False)
    assert parent.attributes == {
        "k8s.namespace.name": world.namespace,
        "mcphub.hub": "traced",
    }
    assert write.attributes["http.response.status_code"] in {200, 201}
    assert parent.resource["service.name"] == "mcphub-operator"
    assert parent.resource["cluster"] == "test"
    assert receiver.headers[0]["x-key"] == "a secret"
    roots = {span.name for span in spans if not span.parent}
    assert roots == {"reconcile"}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/v1/traces"}, True),
    ],
)
def test_a_collector_in_the_environment_turns_traces_on(
    environment: dict[str, str],
    expected: bool,  # noqa: FBT001 - a case
) -> None:
    assert has_collector(environment) is expected
