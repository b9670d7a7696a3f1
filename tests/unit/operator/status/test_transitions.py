"""Which changes of a status become Events."""

import pytest

from mcphub_operator.status.transitions import find_transitions


def status(**conditions: tuple[str, str]) -> dict:
    return {
        "conditions": [
            {"type": kind, "status": truth, "reason": reason, "message": f"{reason}!"}
            for kind, (truth, reason) in conditions.items()
        ]
    }


READY = status(Ready=("True", "Available"))


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        pytest.param({}, READY, [("Available", False)], id="a new hub comes Ready"),
        pytest.param(READY, READY, [], id="nothing changes"),
        pytest.param(
            status(Ready=("False", "Progressing")),
            READY,
            [("Available", False)],
            id="a rollout ends",
        ),
        pytest.param(
            READY, status(Ready=("True", "Progressing")), [], id="a rollout begins"
        ),
        pytest.param(
            READY,
            status(Ready=("False", "NoReadyReplica")),
            [("NoReadyReplica", True)],
            id="the replicas are lost",
        ),
        pytest.param(
            {},
            status(SecretsResolved=("True", "Resolved"), Paused=("False", "NotPaused")),
            [],
            id="a new hub has nothing wrong",
        ),
        pytest.param(
            {},
            status(
                Ready=("False", "SecretMissing"),
                Stalled=("True", "SecretMissing"),
                SecretsResolved=("False", "SecretMissing"),
            ),
            [("SecretMissing", True)],
            id="one cause that shows in three conditions is told once",
        ),
        pytest.param(
            READY,
            status(
                Ready=("True", "PausedBySpec"),
                Paused=("True", "PausedBySpec"),
            ),
            [("PausedBySpec", False)],
            id="a pause that was asked for is no warning",
        ),
        pytest.param(
            READY,
            status(Ready=("False", "ScaledToZero")),
            [("ScaledToZero", False)],
            id="nor are zero replicas",
        ),
        pytest.param(
            READY,
            status(
                Ready=("True", "SecretMissing"),
                Stalled=("True", "SecretMissing"),
                SecretsResolved=("False", "SecretMissing"),
            ),
            [("SecretMissing", True)],
            id="a hub that serves on with a finding is warned about once",
        ),
        pytest.param(
            status(BackendsReachable=("True", "AllConnected")),
            status(BackendsReachable=("False", "SomeUnreachable")),
            [("SomeUnreachable", True)],
            id="a backend goes down",
        ),
        pytest.param(
            status(BackendsReachable=("False", "SomeUnreachable")),
            status(BackendsReachable=("Unknown", "NotReported")),
            [],
            id="nothing is known any more",
        ),
    ],
)
def test_a_transition_is_told(before, after, told):
    found = find_transitions(before, after)

    assert [(t.reason, t.warning) for t in found] == told
