"""The frameworks of examples/integrations, and where their environments are kept."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tools.cluster.places import cache_dir, exclusive
from tools.project import ROOT

EXAMPLES = ROOT / "examples" / "integrations"
BOTH = ("mcp", "sse")
INSTALL_SECONDS = 1800
RUN_SECONDS = 280


@dataclass(frozen=True, slots=True)
class Framework:
    """One framework: its example, and what pip installs for it.

    Attributes:
        example: The file in examples/integrations.
        package: Whose version is shown.
        extras: What pip installs beside it.
        paths: The endpoints that it can use.
    """

    example: str
    package: str
    extras: tuple[str, ...] = ()
    paths: tuple[str, ...] = BOTH

    @property
    def folder(self) -> Path:
        """Where its environment is."""
        return cache_dir() / "integrations" / self.package

    @property
    def python(self) -> str:
        """The interpreter of its environment."""
        return str(self.folder / "bin" / "python")


FRAMEWORKS = (
    Framework("with_langchain.py", "langchain-mcp-adapters"),
    Framework("with_openai_agents.py", "openai-agents"),
    Framework("with_pydantic_ai.py", "pydantic-ai-slim", ("pydantic-ai-slim[mcp]",)),
    Framework("with_llama_index.py", "llama-index-tools-mcp"),
    Framework("with_google_adk.py", "google-adk", ("google-adk[mcp]",)),
    Framework("with_crewai.py", "crewai-tools", ("crewai-tools[mcp]",)),
    Framework(
        "with_agent_framework.py", "agent-framework-core", ("mcp", "tenacity"), ("mcp",)
    ),
)


def install(framework: Framework) -> None:
    """Make the environment unless it is there; the newest versions count."""
    with exclusive(f"integrations-{framework.package}"):
        if (framework.folder / ".done").exists():
            return
        subprocess.run([sys.executable, "-m", "venv", framework.folder], check=True)
        subprocess.run(
            [
                *(framework.python, "-m", "pip", "install", "--quiet"),
                *("--disable-pip-version-check", framework.package),
                *framework.extras,
            ],
            check=True,
            timeout=INSTALL_SECONDS,
        )
        (framework.folder / ".done").touch()


def find_versions(framework: Framework) -> dict[str, str]:
    """Return the versions of the framework and of its MCP SDK."""
    script = (
        "import json, sys; from importlib.metadata import version; "
        "print(json.dumps({name: version(name) for name in sys.argv[1:]}))"
    )
    names = [framework.package, "mcp"]
    done = subprocess.run(
        [framework.python, "-c", script, *names],
        check=True,
        capture_output=True,
        text=True,
    )
    versions: dict[str, str] = json.loads(done.stdout)
    return versions


def run_example(
    framework: Framework, url: str, token: str
) -> subprocess.CompletedProcess[str]:
    """Run an example as its reader would."""
    install(framework)
    return subprocess.run(
        [framework.python, EXAMPLES / framework.example],
        check=False,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        env={**os.environ, "HUB_URL": url, "HUB_TOKEN": token},
    )
