"""The versions of Kubernetes that the cluster program builds."""

import re

import pytest

from tools.cluster.binaries import find_module, kubernetes_version, source_key
from tools.cluster.errors import BadInput
from tools.cluster.golang import required_version
from tools.cluster.places import BINARY_SOURCE

USUAL = BINARY_SOURCE / "go.mod"
OTHERS = sorted(BINARY_SOURCE.glob("versions/*.mod"))


def test_the_usual_version_is_built_unless_another_is_asked_for():
    assert find_module({}) == USUAL


@pytest.mark.parametrize("module", OTHERS, ids=lambda path: path.stem)
def test_another_version_is_named_as_its_module_is(module):
    version = kubernetes_version(module.read_text())

    assert version == module.stem
    assert find_module({"MCPHUB_KUBERNETES": version}) == module
    assert find_module({"MCPHUB_KUBERNETES": version.removeprefix("v")}) == module


@pytest.mark.parametrize("module", [USUAL, *OTHERS], ids=lambda path: path.stem)
def test_a_module_names_one_version_in_all_its_parts(module):
    text = module.read_text()

    parts = set(re.findall(r"=> k8s\.io/\S+ (v\S+)$", text, re.MULTILINE))

    assert parts == {kubernetes_version(text).replace("v1.", "v0.", 1)}


@pytest.mark.parametrize("module", OTHERS, ids=lambda path: path.stem)
def test_each_version_has_binaries_of_its_own(module):
    assert source_key(module) != source_key(USUAL)
    assert required_version(module.read_text()) == required_version(USUAL.read_text())


def test_a_version_without_a_module_is_refused_with_those_that_have_one():
    with pytest.raises(BadInput, match=r"Kubernetes 1\.2\.3 .*; there are 1\.34\.4, "):
        find_module({"MCPHUB_KUBERNETES": "1.2.3"})
