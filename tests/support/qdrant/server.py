"""One Qdrant on a loopback port, as a process: started, killed, frozen, restarted."""

import os
import shutil
import signal
import subprocess
import sys
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from qdrant_client import QdrantClient

from tools.ports import reserve_port
from tools.project import ROOT

API_KEY = "qdrant-key-for-tests"
IMAGE = "docker.io/qdrant/qdrant:v1.20.0"
START_SECONDS = 60.0


def docker_works() -> bool:
    """Tell whether a container of the real image can run here."""
    if not shutil.which("docker"):
        return False
    asked = subprocess.run(["docker", "info"], capture_output=True, check=False)
    return asked.returncode == 0


@dataclass(slots=True)
class QdrantServer:
    """The double, or the real image where Docker is."""

    folder: Path
    api_key: str = API_KEY
    certificate: tuple[Path, Path] | None = None
    real: bool = field(default_factory=docker_works)
    port: int = field(default_factory=reserve_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address that clients take."""
        scheme = "https" if self.certificate else "http"
        return f"{scheme}://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start and return when it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command = self._docker_command() if self.real else self._double_command()
        with (self.folder / "qdrant.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, env=self._environment(), stdout=log, stderr=log
            )
        self._wait_until_open()
        what = f"the image {IMAGE}" if self.real else "a double over qdrant-edge-py"
        print(f"== Qdrant on port {self.port}: {what}", file=sys.stderr)

    def kill(self) -> None:
        """End the process as a crash does."""
        process, self.process = self.process, None
        if process is not None:
            process.kill() if not self.real else process.terminate()
            process.wait()

    def freeze(self) -> None:
        """Keep the port open and answer nothing."""
        if self.process is not None:
            self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on."""
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)

    def connect(self) -> QdrantClient:
        """Return Qdrant's own client, to prepare or to verify."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a key that is sent without TLS
            return QdrantClient(
                url=self.url,
                api_key=self.api_key,
                timeout=100,
                check_compatibility=False,
            )

    def _double_command(self) -> list[str]:
        module = [sys.executable, "-m", "tests.support.qdrant.double"]
        storage = str(self.folder / "storage")
        return [*module, "--port", str(self.port), "--folder", storage]

    def _docker_command(self) -> list[str]:
        return [
            *("docker", "run", "--rm", "--init", "-e", "QDRANT__SERVICE__API_KEY"),
            *("-p", f"127.0.0.1:{self.port}:6333"),
            *("-v", f"{self.folder / 'storage'}:/qdrant/storage", IMAGE),
        ]

    def _environment(self) -> dict[str, str]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        environment["QDRANT__SERVICE__API_KEY"] = self.api_key
        if self.certificate:
            certificate, key = self.certificate
            environment["QDRANT__TLS__CERT"] = str(certificate)
            environment["QDRANT__TLS__KEY"] = str(key)
        return environment

    def _wait_until_open(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                with httpx.Client(verify=False, trust_env=False, timeout=100) as client:  # noqa: S501
                    client.get(self.url)
            except httpx.TransportError:
                ended = self.process is None or self.process.poll() is not None
                if ended or time.monotonic() > deadline:
                    log = (self.folder / "qdrant.log").read_text()[-2000:]
                    self.kill()
                    raise RuntimeError(f"Qdrant did not start: {log}") from None
                time.sleep(0.05)
            else:
                return
