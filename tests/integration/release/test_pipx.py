"""`kubectl mcphub` as docs/cli.md installs it: with pipx, from the built wheel."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tools.cluster.apiserver import ApiAccess
from tools.programs.install import ensure_python
from tools.project import ROOT

PROGRAMS = {"kubectl-mcphub", "kubectl_complete-mcphub"}
SECONDS = 1500

# It fetches what the program needs, while other builds take the processors.
pytestmark = pytest.mark.timeout(1800)


def run(command: list[str], **variables: str) -> str:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env={**os.environ, **variables},
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make wheel` builds."""
    folder = tmp_path_factory.mktemp("dist")
    words = ["--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    run([sys.executable, "-m", "pip", "wheel", "--quiet", *words])
    (built,) = folder.glob("mcphub-*.whl")
    return built


@pytest.fixture(scope="module")
def pipx(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Folders of pipx's own; a user's are left alone."""
    home = tmp_path_factory.mktemp("pipx")
    return {"PIPX_HOME": str(home / "home"), "PIPX_BIN_DIR": str(home / "bin")}


@pytest.fixture(scope="module")
def installed(wheel: Path, pipx: Mapping[str, str]) -> Iterator[Path]:
    """The folder with the programs, until they are uninstalled."""
    program = [str(ensure_python("pipx")), "-m", "pipx"]
    run([*program, "install", f"{wheel}[cli]"], **pipx)
    folder = Path(pipx["PIPX_BIN_DIR"])
    yield folder
    run([*program, "uninstall", "mcphub"], **pipx)
    assert {*folder.iterdir()} == set()


def test_pipx_installs_the_program_that_kubectl_finds(
    installed: Path, api_server: ApiAccess
) -> None:
    kubectl = str(api_server.kubectl)
    variables = {
        "PATH": f"{installed}:{api_server.kubectl.parent}:/usr/bin:/bin",
        "KUBECONFIG": str(api_server.kubeconfig),
    }

    listed = run([kubectl, "plugin", "list", "--name-only"], **variables)
    status = run([kubectl, "mcphub", "status"], **variables)
    completed = run([kubectl, "__complete", "mcphub", "do"], **variables)

    assert {path.name for path in installed.iterdir()} >= PROGRAMS
    assert "kubectl-mcphub" in listed.split()
    assert status == "There are no hubs here; `-A` shows those of all namespaces.\n"
    assert "doctor" in completed
