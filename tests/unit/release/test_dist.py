"""What `make dist` writes: a version's image names, and the same bytes each time."""

import io
import tarfile

import pytest
import yaml

from tools.cluster.errors import BadInput, StepFailed
from tools.release.dist import name_images, pack_chart
from tools.release.version import (
    Release,
    parse_registry,
    parse_version,
    project_version,
)

RENDERED = f"""containers:
- image: mcphub-operator:{project_version()}
  env:
  - name: MCPHUB_SERVER_IMAGE
    value: mcphub-server:{project_version()}
"""
RELEASE = Release("1.2.3", "registry.example.com/team")


def test_both_images_get_the_names_of_the_release() -> None:
    (container,) = yaml.safe_load(name_images(RENDERED, RELEASE))["containers"]

    assert container["image"] == "registry.example.com/team/mcphub-operator:1.2.3"
    (variable,) = container["env"]
    assert variable["value"] == "registry.example.com/team/mcphub-server:1.2.3"


def test_a_name_that_config_does_not_contain_once_is_an_error() -> None:
    with pytest.raises(StepFailed, match="names mcphub-operator 2 times"):
        name_images(RENDERED + RENDERED, RELEASE)


def test_the_packed_chart_has_the_version_and_the_registry() -> None:
    with tarfile.open(fileobj=io.BytesIO(pack_chart(RELEASE))) as archive:
        texts = {
            member.name: (archive.extractfile(member) or io.BytesIO()).read()
            for member in archive
        }

    chart = yaml.safe_load(texts["mcphub/Chart.yaml"])
    values = yaml.safe_load(texts["mcphub/values.yaml"])
    assert (chart["version"], chart["appVersion"]) == ("1.2.3", "1.2.3")
    assert values["registry"] == "registry.example.com/team"
    assert "mcphub/README.md.in" not in texts


def test_the_chart_is_packed_into_the_same_bytes_each_time() -> None:
    assert pack_chart(RELEASE) == pack_chart(RELEASE)


@pytest.mark.parametrize("text", ["1.2", "latest", "1.2.3+x", "v", ""])
def test_an_invalid_version_is_refused_with_one_sentence(text: str) -> None:
    with pytest.raises(BadInput, match="not a version such as"):
        parse_version(text)


def test_a_tag_of_git_is_a_version() -> None:
    assert parse_version("v1.2.3-rc.1") == "1.2.3-rc.1"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("https://registry.example.com", id="a URL"),
        pytest.param("registry.example.com/team:1.0", id="a tag"),
        pytest.param("Registry.Example.com", id="capitals"),
        pytest.param("registry example", id="a space"),
        pytest.param("", id="nothing"),
    ],
)
def test_an_invalid_registry_is_refused_with_one_sentence(text: str) -> None:
    with pytest.raises(BadInput, match="not a registry such as"):
        parse_registry(text)


@pytest.mark.parametrize("text", ["localhost:5000", "127.0.0.1:5000/a/b-c", "a.b/c/"])
def test_a_registry_may_have_a_port_and_folders(text: str) -> None:
    assert parse_registry(text) == text.rstrip("/")
