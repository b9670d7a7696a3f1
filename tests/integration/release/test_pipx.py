"""`kubectl mcphub` as docs/cli.md installs it: with pipx, from the built wheel."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.pipx import installed_plugin, run
from tools.cluster.apiserver import ApiAccess

PROGRAMS = {"kubectl-mcphub", "kubectl_complete-mcphub"}

# It fetches what the program needs, while other builds take the processors.
pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with installed_plugin(tmp_path_factory.mktemp("pipx")) as programs:
        yield programs


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
