"""Whatever the CRD's schema lets through, the operator can read."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcphub_operator.spec.hub import parse_hub
from mcphub_operator.spec.hub_spec import HubSpec
from mcphub_operator.spec.references import secret_refs
from tests.support.drawn_hubs import draw_sections

SECTIONS = draw_sections({})
HUBS = st.fixed_dictionaries({}, optional=SECTIONS)


def body(spec: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"namespace": "ai", "name": "team"}, "spec": spec}


pytestmark = pytest.mark.timeout(600)
"""Drawing takes a processor's time, however little of it there is."""

SLOW_TO_DRAW = [HealthCheck.too_slow, HealthCheck.data_too_large]


@pytest.mark.parametrize("section", sorted(SECTIONS))
@settings(max_examples=30, deadline=None, suppress_health_check=SLOW_TO_DRAW)
@given(data=st.data())
def test_a_section_that_the_schema_takes_can_be_read(
    section: str, data: st.DataObject
) -> None:
    value = data.draw(SECTIONS[section])

    hub = parse_hub(body({section: value}))

    assert section in hub.spec.model_dump(by_alias=True)


@settings(max_examples=50, deadline=None, suppress_health_check=SLOW_TO_DRAW)
@given(backends=SECTIONS["backends"])
def test_backends_that_the_schema_takes_can_be_read(
    backends: list[dict[str, Any]],
) -> None:
    hub = parse_hub(body({"backends": backends}))

    served = {backend["name"] for backend in backends if backend.get("enabled", True)}
    assert {ref.backend for ref in secret_refs(hub)} <= served


@settings(max_examples=30, deadline=None, suppress_health_check=SLOW_TO_DRAW)
@given(spec=HUBS)
def test_a_hub_survives_being_written_and_read_again(spec: dict[str, Any]) -> None:
    hub = parse_hub(body(spec))

    written = hub.spec.model_dump(mode="json", exclude_none=True)

    assert HubSpec.model_validate(written) == hub.spec
