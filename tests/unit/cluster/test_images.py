"""Which changes rebuild an image, and the archives that carry images."""

import json
import tarfile
from pathlib import Path

import pytest

from tools.cluster.archive import read_archive, write_program_archive
from tools.cluster.dockerignore import Ignored
from tools.cluster.errors import BadInput
from tools.cluster.images import BuildRequest, content_key, copied_paths, full_name
from tools.cluster.packageindex import parse_pip_settings

DOCKERFILE = """FROM python:3.13-slim AS build
COPY --from=other /x /y
COPY --chown=1:1 pyproject.toml \\
     src ./
"""


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("web", "docker.io/library/web:latest"),
        ("web:dev", "docker.io/library/web:dev"),
        ("team/web:dev", "docker.io/team/web:dev"),
        ("localhost/web", "localhost/web:latest"),
        ("registry:5000/web", "registry:5000/web:latest"),
        ("mcphub.test/web:1", "mcphub.test/web:1"),
    ],
)
def test_names_are_written_out_as_the_kubelet_does(name, full):
    assert full_name(name) == full


def test_only_what_is_copied_from_the_context_counts():
    assert copied_paths(DOCKERFILE) == ["pyproject.toml", "src"]


@pytest.fixture
def request_in(tmp_path):
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    (tmp_path / "pyproject.toml").write_text("[project]")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text("a = 1")
    (tmp_path / ".dockerignore").write_text("**/__pycache__\n")
    return BuildRequest("web", tmp_path / "Dockerfile", tmp_path)


@pytest.mark.parametrize(
    ("file", "is_rebuilt"),
    [
        pytest.param("src/a.py", True, id="a copied file"),
        pytest.param("src/new.py", True, id="a new file in a copied folder"),
        pytest.param("Dockerfile", True, id="the recipe"),
        pytest.param("README.md", False, id="a file that is not copied"),
        pytest.param("src/__pycache__/a.pyc", False, id="a file that is ignored"),
    ],
)
def test_an_image_is_built_again_only_for_what_goes_into_it(
    request_in, file, is_rebuilt
):
    before = content_key(request_in, "base")
    path = request_in.context / file
    path.parent.mkdir(exist_ok=True)
    path.write_text("FROM scratch\nCOPY pyproject.toml src ./")

    assert (content_key(request_in, "base") != before) == is_rebuilt


def test_a_new_base_makes_a_new_image(request_in):
    assert content_key(request_in, "one") != content_key(request_in, "two")


@pytest.mark.parametrize(
    ("rules", "path", "is_ignored"),
    [
        pytest.param(".git", ".git/config", True, id="a folder means what is in it"),
        pytest.param("*.md", "docs/a.md", False, id="a star stays in its folder"),
        pytest.param("**/*.md", "docs/a.md", True, id="two stars cross folders"),
        pytest.param("**/*.md", "a.md", True, id="two stars match none too"),
        pytest.param("*\n!src", "src/a.py", False, id="the last rule decides"),
        pytest.param("# note\n\n", "note", False, id="comments are no rules"),
    ],
)
def test_dockerignore_is_read_as_docker_reads_it(rules, path, is_ignored):
    assert Ignored.parse(rules).matches(Path(path)) == is_ignored


def test_pip_settings_come_from_files_and_the_environment():
    listing = (
        "global.index-url='https://index.example/simple'\n"
        ":env:.find-links='/opt/wheels'\n"
        "global.target='/elsewhere'\n"
    )

    assert parse_pip_settings(listing) == {
        "index-url": "https://index.example/simple",
        "find-links": "/opt/wheels",
    }


def test_an_archive_made_here_says_what_it_holds(tmp_path):
    program = tmp_path / "program"
    program.write_bytes(b"#!")
    path = tmp_path / "image.tar"

    write_program_archive(path, "mcphub.test/x:1", program, ["alias"])
    image = read_archive(path)

    with tarfile.open(path) as archive:
        config = json.load(archive.extractfile(f"{image.image_id}.json"))
    assert image.names == ("mcphub.test/x:1",)
    assert config["config"]["Entrypoint"] == ["/alias"]


@pytest.mark.parametrize("content", [b"", b"no tar at all"])
def test_what_is_no_archive_is_refused(tmp_path, content):
    path = tmp_path / "image.tar"
    path.write_bytes(content)

    with pytest.raises(BadInput, match="not a docker archive"):
        read_archive(path)
