"""Which pods are told to refresh their files."""

from dataclasses import replace

import pytest

from mcphub_operator.observed import Observed, Pod, PodReport
from mcphub_operator.reconcile.pod_refresh import find_outdated
from mcphub_operator.resources.config_map import build_live_digest
from tests.support.observed import hub, observe, settle

BEFORE, AFTER = hub(), hub(access={})
OLD, CURRENT = build_live_digest(BEFORE), build_live_digest(AFTER)


def observed(pod: Pod, runs: str | None = OLD, **parts: object) -> Observed:
    report = PodReport(answered=True, digest=runs)
    known = replace(settle(observe(AFTER)), pods=(pod,), reports={pod.uid: report})
    return replace(known, **parts)


POD = Pod("p", "uid", ready=True)


def test_a_pod_that_runs_an_old_configuration_is_outdated() -> None:
    assert find_outdated(observed(POD), CURRENT) == [POD]


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(observed(POD, CURRENT), id="it runs the current one"),
        pytest.param(observed(POD, None), id="its version knows none"),
        pytest.param(observed(replace(POD, live=CURRENT)), id="its kubelet was told"),
        pytest.param(observed(replace(POD, terminating=True)), id="it ends"),
        pytest.param(observed(POD, reports={}), id="it has said nothing"),
        pytest.param(
            observed(POD, children=settle(observe(BEFORE)).children),
            id="the ConfigMap has the old one",
        ),
        pytest.param(observed(POD, children={}), id="there is no ConfigMap"),
    ],
)
def test_a_pod_is_left_alone_if(given: Observed) -> None:
    assert not find_outdated(given, CURRENT)
