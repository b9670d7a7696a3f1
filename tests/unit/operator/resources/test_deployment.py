"""What a Deployment remembers of the inputs that a user controls."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from mcphub_operator import names
from mcphub_operator.resources.config_map import SECTIONS
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


CHANGES: dict[str, Any] = {
    "backends": [{"name": "vectors", "qdrant": {"url": "http://qdrant:6333"}}],
    "transports": {"sse": {"enabled": False}},
    "webPage": {"enabled": False},
    "auth": {"type": "None"},
    "limits": {"maxRows": 5},
    "logging": {"level": "debug"},
    "observability": {"otlp": {"endpoint": "http://collector:4318"}},
    "publicURL": "https://mcp.example.com",
    "allowedHosts": ["mcp.example.com"],
    "trustedProxies": ["10.0.0.0/8"],
}
"""A change of each part of the spec that is in the server's configuration."""


@pytest.mark.parametrize("section", SECTIONS)
def test_what_changes_the_configuration_changes_the_inputs(section: str):
    """Else a user's change would wait its turn as an operator's upgrade does."""
    changed = hub(**{section: CHANGES[section]})

    assert build_inputs_hash(changed, "") != build_inputs_hash(hub(), "")
