"""No hub makes the core raise, whatever the CRD's schema lets through.

What the schema lets through and CEL would not, and what neither would, is the parser's
to refuse, with the one error that says so.
"""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis_jsonschema import from_schema

from mcphub_operator.cache.children import build_cached
from mcphub_operator.observed import Pod
from mcphub_operator.resources.manifest import ChildId
from tests.support.core_runs import decide, run_core
from tests.support.drawn_hubs import REAL_TEXTS, STATUS, draw_sections
from tests.support.observed import observe, settle

pytestmark = pytest.mark.timeout(600)
"""Drawing takes a processor's time, however little of it there is."""

QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
EXAMPLES = settings(
    max_examples=50, derandomize=True, deadline=None, suppress_health_check=QUIET
)
ANY_TEXT = draw_sections({})
REAL_TEXT = draw_sections(REAL_TEXTS)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=10), inner, max_size=3)
    ),
    max_leaves=12,
)


@EXAMPLES
@given(st.fixed_dictionaries({}, optional=ANY_TEXT))
def test_any_hub_of_the_schema(spec: dict[str, Any]):
    run_core(spec)


@EXAMPLES
@given(st.fixed_dictionaries({}, optional=REAL_TEXT))
def test_any_hub_whose_texts_pass_cel_too(spec: dict[str, Any]):
    run_core(spec, pods=(Pod("a", "u", "10.0.0.1", ready=True),))


@EXAMPLES
@given(from_schema(STATUS))
def test_any_status_that_was_there_before(status: dict[str, Any]):
    run_core({"backends": [], "autoscaling": {"minReplicas": 1}}, status=status)


@EXAMPLES
@given(JSON)
def test_what_is_no_hub_at_all(spec: Any):
    run_core(spec)


@EXAMPLES
@given(st.data())
def test_a_hub_with_one_section_that_is_something_else(data: st.DataObject):
    section = data.draw(st.sampled_from(sorted(ANY_TEXT)))

    run_core({section: data.draw(JSON)})


@EXAMPLES
@given(JSON, st.sampled_from(["spec", "status", "data", "metadata"]))
def test_a_deployment_that_a_user_filled_with_something_else(value: Any, part: str):
    settled = settle(observe())
    child = ChildId("Deployment", "team-data")
    item = settled.children[child].read()
    if part == "metadata":
        item["metadata"]["annotations"] = {"x": str(value)}
    elif isinstance(value, dict):
        item[part] = item.get(part, {}) | value
    changed = settled.children | {child: build_cached(item)}

    decide(replace(settled, children=changed))


@pytest.mark.parametrize("spec", [None, {}, {"backends": None}, {"service": None}])
def test_what_is_left_out_is_as_good_as_empty(spec: Any):
    run_core(spec)
