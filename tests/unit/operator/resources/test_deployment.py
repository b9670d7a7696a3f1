"""What a Deployment remembers of the inputs that a user controls."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from mcphub_operator import names
from mcphub_operator.resources.deployment import build_inputs_hash
from tests.support.observed import hub

FROZEN = Path(__file__).parents[3] / "integration/operator/frozen"
SECRETS_HASH = "0123"
DEFAULTS = {"0.1.0": {"limits": {"maxResultBytes": 1_048_576}}}
"""What the API server stored in hubs, where a release had another default."""


def read_inputs(release: str) -> str:
    children = yaml.safe_load_all((FROZEN / f"{release}.yaml").read_text())
    (found,) = [c for c in children if c["kind"] == "Deployment"]
    return str(found["metadata"]["annotations"][names.ANNOTATION_INPUTS])


@pytest.mark.parametrize("release", sorted(path.stem for path in FROZEN.glob("*.yaml")))
def test_a_default_of_an_earlier_release_is_no_choice_of_the_user(release: str):
    """Else a new release would roll all hubs at once, past the upgrade's gate."""
    stored = hub(**DEFAULTS.get(release, {}))

    assert build_inputs_hash(stored, SECRETS_HASH) == read_inputs(release)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"limits": {"maxResultBytes": 1000}}, id="the same field"),
        pytest.param({"limits": {"maxRows": 5}}, id="another one beside it"),
    ],
)
def test_a_choice_of_the_user_changes_the_inputs(change: dict[str, Any]):
    stored = {"limits": {**DEFAULTS["0.1.0"]["limits"], **change["limits"]}}

    assert build_inputs_hash(hub(**stored), "") != build_inputs_hash(hub(), "")
