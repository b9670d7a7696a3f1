"""The resources of a hub's container (D18)."""

from typing import Any

import pytest

from mcphub_operator.resources.pod import Revision, build_pod_template
from tests.support.observed import hub

REVISION = Revision("mcphub-server:0.1.0", "0.1.0", "", "")
OURS = ("128Mi", "1Gi")


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        pytest.param({}, OURS, id="bounded by default"),
        pytest.param(
            {"requests": {"cpu": 1}, "limits": {}}, OURS, id="beside a user's own"
        ),
        pytest.param(
            {"limits": {"ephemeral-storage": "64Mi"}},
            (None, "64Mi"),
            id="a limit of the user's stands alone, below our request too",
        ),
        pytest.param(
            {"requests": {"ephemeral-storage": "2Gi"}},
            ("2Gi", None),
            id="a request of the user's stands alone, above our limit too",
        ),
    ],
)
def test_d18_local_storage_is(
    resources: dict[str, Any], expected: tuple[str | None, str | None]
):
    template = build_pod_template(hub(resources=resources), REVISION)

    (container,) = template["spec"]["containers"]
    found = [
        container["resources"].get(part, {}).get("ephemeral-storage")
        for part in ("requests", "limits")
    ]
    assert tuple(found) == expected
