"""kube-score on the operator and on a hub; each exception has a reason."""

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tools.programs.build import ensure_program
from tools.project import ROOT

Build = Callable[[str], list[dict[str, Any]]]

OLDEST = "v1.30"
HUB = ROOT / "tests" / "unit" / "operator" / "golden.yaml"
EXCEPTIONS = {
    "container-image-pull-policy": "a version's tag never moves, so nodes keep images",
    "deployment-has-host-podantiaffinity": "topologySpreadConstraints spread the pods",
    "service-type": "clients outside the cluster reach this hub by its NodePort",
    "container-resources": "a CPU limit would delay the renewal of the Lease",
}


def score(manifests: str) -> dict[str, set[str]]:
    """Return the ids of failed checks with the kinds that failed them."""
    done = subprocess.run(
        [
            *(ensure_program("kube-score"), "score", "-", "-o", "json"),
            *("--kubernetes-version", OLDEST),
        ],
        input=manifests,
        capture_output=True,
        text=True,
        check=False,
    )
    failed: dict[str, set[str]] = {}
    for each in json.loads(done.stdout):
        for check in each["checks"]:
            if check["grade"] < 10 and not check["skipped"]:  # 10 is OK
                kinds = failed.setdefault(check["check"]["id"], set())
                kinds.add(each["type_meta"]["kind"])
    return failed


@pytest.fixture(scope="module")
def findings(build: Build) -> dict[str, dict[str, set[str]]]:
    operator = "\n---\n".join(
        yaml.safe_dump(each)
        for each in build("default")
        if each["kind"] != "CustomResourceDefinition"
    )
    return {"operator": score(operator), "hub": score(HUB.read_text())}


@pytest.mark.parametrize("what", ["operator", "hub"])
def test_every_finding_has_a_reason(
    findings: dict[str, dict[str, set[str]]], what: str
) -> None:
    assert findings[what].keys() - EXCEPTIONS.keys() == set(), findings[what]


def test_every_exception_is_needed(findings: dict[str, dict[str, set[str]]]) -> None:
    found = {name for checks in findings.values() for name in checks}

    assert EXCEPTIONS.keys() - found == set()


def test_a_privileged_container_is_found() -> None:
    documents = [d for d in yaml.safe_load_all(HUB.read_text()) if d]
    (deployment,) = [d for d in documents if d["kind"] == "Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    container["securityContext"] = {"privileged": True}

    assert "container-security-context-privileged" in score(yaml.safe_dump(deployment))
