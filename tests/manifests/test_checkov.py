"""checkov on the operator and on a hub; each exception has a reason."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.programs.install import ensure_python
from tools.project import ROOT

Build = Callable[[str], list[dict[str, Any]]]

HUB = ROOT / "tests" / "unit" / "operator" / "golden.yaml"
EXCEPTIONS = {
    "CKV_K8S_11": "a CPU limit would delay the renewal of the operator's Lease",
    "CKV_K8S_15": "a version's tag never moves, so nodes keep images",
    "CKV_K8S_38": "the operator calls the API server with its token",
    "CKV_K8S_43": "the digest is that of your registry; the chart takes image.digest",
}


def check(folder: Path, manifests: str) -> dict[str, set[str]]:
    """Return the ids of failed checks with the resources that failed them."""
    file = folder / "manifests.yaml"
    file.write_text(manifests)
    words = ("-m", "checkov.main", "--framework", "kubernetes", "--skip-download")
    done = subprocess.run(
        [ensure_python("checkov"), *words, "--file", file, "--output", "json"],
        capture_output=True,
        text=True,
        check=False,
    )
    results = json.loads(done.stdout)["results"]
    assert results["passed_checks"]
    assert not results["parsing_errors"]
    failed: dict[str, set[str]] = {}
    for each in results["failed_checks"]:
        failed.setdefault(each["check_id"], set()).add(each["resource"])
    return failed


@pytest.fixture(scope="module")
def findings(
    build: Build, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, set[str]]]:
    operator = yaml.safe_dump_all(
        each for each in build("default") if each["kind"] != "CustomResourceDefinition"
    )
    folder = tmp_path_factory.mktemp("checkov")
    texts = {"operator": operator, "hub": HUB.read_text()}
    return {name: check(folder, text) for name, text in texts.items()}


@pytest.mark.parametrize("what", ["operator", "hub"])
def test_every_finding_has_a_reason(
    findings: dict[str, dict[str, set[str]]], what: str
) -> None:
    assert findings[what].keys() - EXCEPTIONS.keys() == set(), findings[what]


def test_every_exception_is_needed(findings: dict[str, dict[str, set[str]]]) -> None:
    found = {name for checks in findings.values() for name in checks}

    assert EXCEPTIONS.keys() - found == set()


def test_a_privileged_container_is_found(tmp_path: Path) -> None:
    documents = [d for d in yaml.safe_load_all(HUB.read_text()) if d]
    (deployment,) = [d for d in documents if d["kind"] == "Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    container["securityContext"] = {"privileged": True}

    assert "CKV_K8S_16" in check(tmp_path, yaml.safe_dump(deployment))
