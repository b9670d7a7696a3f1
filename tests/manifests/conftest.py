"""kubectl's kustomize, and an API server that takes what it builds."""

import functools
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tests.support.hub_api import HubApi, open_hub_api
from tools.cluster.apiserver import ApiAccess
from tools.cluster.binaries import ensure_binaries
from tools.cluster.commands import run
from tools.project import ROOT

CONFIG = ROOT / "config"


@pytest.fixture(scope="session")
def api(api_server: ApiAccess) -> HubApi:
    return open_hub_api(api_server)


@pytest.fixture(scope="session")
def build() -> Callable[[str], list[dict[str, Any]]]:
    """Build a kustomization of config/ and return its objects."""
    kubectl = ensure_binaries().part("kubectl")

    @functools.cache
    def render(folder: str) -> str:
        return run([kubectl, "kustomize", CONFIG / folder])

    def built(folder: str) -> list[dict[str, Any]]:
        return [
            part for part in yaml.load_all(render(folder), yaml.CSafeLoader) if part
        ]

    return built
