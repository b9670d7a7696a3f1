"""Traces that get lost have a condition, and clients are served all the same."""

from dataclasses import replace

import pytest

from mcphub_operator.observed import PodReport, TracingReport
from mcphub_operator.reconcile.status_poller import parse_report
from mcphub_operator.status.condition_model import find_condition
from mcphub_operator.status.transitions import find_transitions
from tests.support.observed import hub, observe
from tests.support.statuses import condition, pods, rolled, status_of

TRACES = {"otlp": {"endpoint": "http://collector.no-such-name:4318"}}
SENT = TracingReport("Exporting")
SILENT = TracingReport("Unknown")
LOST = TracingReport(
    "Failing", "DNSFailure", "spans are dropped: the name does not resolve"
)


def observed(*reports: TracingReport | None, **spec):
    told = (PodReport(answered=True, tracing=report) for report in reports)
    spec = {"observability": TRACES, **spec}
    return replace(rolled(observe(hub(**spec)), ready=len(reports)), **pods(*told))


@pytest.mark.parametrize(
    ("reports", "expected"),
    [
        pytest.param([SENT], ("True", "Exported"), id="all is well"),
        pytest.param([LOST], ("False", "ExportFailing"), id="the name is wrong"),
        pytest.param([SENT, LOST], ("False", "ExportFailing"), id="on one replica"),
        pytest.param([SILENT, SENT], ("True", "Exported"), id="one had no call yet"),
        pytest.param([SILENT], ("Unknown", "NotReported"), id="no call yet"),
        pytest.param([None], ("Unknown", "NotReported"), id="an older server"),
        pytest.param([], ("Unknown", "NotReported"), id="no replica"),
    ],
)
def test_the_export_of_traces_has_a_condition(reports, expected):
    status = status_of(observed(*reports))

    assert condition(status, "TracesExported") == expected


def test_a_collector_that_is_not_found_leaves_the_hub_ready():
    status = status_of(observed(SENT, LOST, replicas=2))

    assert condition(status, "Ready") == ("True", "Available")
    found = find_condition(status["conditions"], "TracesExported")
    assert found["message"] == (
        "spans are dropped: the name does not resolve (on 1 of 2 replicas)"
    )


def test_a_collector_that_goes_away_is_an_event():
    before, after = status_of(observed(SENT)), status_of(observed(LOST))

    (told,) = find_transitions(before, after)

    assert (told.condition, told.warning) == ("TracesExported", True)


def test_a_restarted_operator_keeps_what_was_known():
    before = status_of(observed(LOST))
    unknown = replace(observed(LOST), reports={}, status=before)

    status = status_of(unknown)

    assert condition(status, "TracesExported") == ("False", "ExportFailing")


def test_a_hub_without_traces_has_no_such_condition():
    status = status_of(observed(None, observability={}))

    assert find_condition(status["conditions"], "TracesExported") is None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(b"{}", None, id="without traces"),
        pytest.param(b'{"tracing": 7}', None, id="nonsense"),
        pytest.param(
            b'{"tracing": {"state": "Failing", "reason": "a", "message": "b"}}',
            TracingReport("Failing", "a", "b"),
            id="the server's own words",
        ),
    ],
)
def test_a_report_is_read(body, expected):
    assert parse_report(body).tracing == expected
