"""The README's way to a hub on one's own databases, by its own words."""

import re
import subprocess

import pytest
import yaml

from quickstart.site import PROJECT
from support.installation import Installation

pytestmark = pytest.mark.timeout(300)

README = (PROJECT / "README.md").read_text()


def block(language: str, containing: str) -> str:
    blocks = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    (found,) = [text for text in blocks if containing in text]
    return found


def run(installation: Installation, command: str) -> str:
    """A command of the README, on this cluster and in the tests' namespace."""
    kubectl = (
        f"{installation.cluster.kubectl_path} "
        f"--kubeconfig {installation.cluster.kubeconfig_path} "
        f"-n {installation.namespace}"
    )
    words = command.replace("kubectl ", f"{kubectl} ", 1)
    done = subprocess.run(  # noqa: S602 - the README speaks to a shell
        words,
        shell=True,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def test_a_hub_on_ones_own_database_comes_up_by_the_readme(installation: Installation):
    """Only the address, the password and the port differ: `demo` has the README's."""
    run(installation, block("", "create secret generic"))
    hub = yaml.safe_load(block("yaml", "kind: McpHub"))
    hub["spec"]["service"] = {"type": "ClusterIP"}
    hub["spec"]["backends"][0]["postgres"] |= {"host": "postgres", "database": "shop"}

    installation.apply(hub)
    installation.wait("mcphub/team-data", "condition=Ready")

    listed, token = block("", "get secret team-data-auth").strip().splitlines()
    assert "team-data" in run(installation, listed)
    assert len(run(installation, token.partition("#")[0])) > 20
    installation.kubectl("delete", "mcphub/team-data", "secret/hub-credentials")
