"""A hub's folder, as the operator would project it into a pod, and its process."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from benchmarks.processes import ServerProcess, running, wait_until_ready
from tools.ports import reserve_port

TOKEN = "bench-token-of-one-client"
HOSTILE_TOKEN = "bench-token-of-a-hostile-client"

# The bench measures what calls cost, not how the hub slows clients down.
LIMITS = {"maxRows": 1000, "requestsPerSecond": 1_000_000, "burst": 1_000_000}


@dataclass(frozen=True, slots=True)
class Backend:
    """One entry of `spec.backends`, and the files of its secret."""

    spec: dict[str, Any]
    secrets: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HubFolder:
    """The files of a hub, and the ports that it will listen on."""

    folder: Path
    port: int = field(default_factory=reserve_port)
    management_port: int = field(default_factory=reserve_port)

    @property
    def ready_url(self) -> str:
        """Where the hub says that it serves."""
        return f"http://127.0.0.1:{self.management_port}/health/ready"

    @property
    def environment(self) -> dict[str, str]:
        """What the pod's environment would carry."""
        return {
            "MCPHUB_CONFIG": str(self.folder / "hub.yaml"),
            "MCPHUB_SECRETS_DIR": str(self.folder / "secrets"),
            "MCPHUB_TOKENS_DIR": str(self.folder / "tokens"),
            "MCPHUB_KEYS_DIR": str(self.folder / "keys"),
            "MCPHUB_HOST": "127.0.0.1",
            "MCPHUB_PORT": str(self.port),
            "MCPHUB_MANAGEMENT_PORT": str(self.management_port),
        }


def write_hub(
    folder: Path, backends: Sequence[Backend], settings: Mapping[str, Any] | None = None
) -> HubFolder:
    """Write a hub's files."""
    config = {
        "backends": [backend.spec for backend in backends],
        "limits": LIMITS,
        **(settings or {}),
    }
    (folder / "tokens").mkdir(parents=True)
    (folder / "tokens" / "bench").write_text(TOKEN, encoding="utf-8")
    (folder / "hub.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    for backend in backends:
        secrets = folder / "secrets" / str(backend.spec["name"])
        secrets.mkdir(parents=True)
        for name, value in backend.secrets.items():
            (secrets / name).write_text(value, encoding="utf-8")
    return HubFolder(folder)


def write_live(hub: HubFolder, live: Mapping[str, Any]) -> None:
    """Write declared tools and access rules beside a hub's other files."""
    (hub.folder / "live.yaml").write_text(yaml.safe_dump(dict(live)), encoding="utf-8")


@contextmanager
def running_hub(
    hub: HubFolder, before: Sequence[str] = (), module: str = "mcphub_server"
) -> Iterator[ServerProcess]:
    """Run the hub until the end of the block; yields when it is ready."""
    argv = [*before, sys.executable, "-m", module]
    with running(argv, hub.folder / "server.log", hub.environment) as server:
        wait_until_ready(server, hub.ready_url)
        yield server
