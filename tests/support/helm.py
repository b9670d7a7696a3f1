"""Helm, as an administrator of a cluster runs it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.cluster.commands import run
from tools.quickstart.site import OPERATOR_NAMESPACE

RELEASE = "mcphub"
WAIT_SECONDS = 300
"""When to give up; no promise, so it is far above what a busy machine needs."""


@dataclass(frozen=True, slots=True)
class Helm:
    """One release of the chart on one cluster.

    Attributes:
        program: Helm itself.
        chart: The folder of the chart.
        kubeconfig: Which cluster.
    """

    program: Path
    chart: str
    kubeconfig: Path

    def install(self, values: Mapping[str, Any], *options: str) -> str:
        """Install the chart and wait until the operator is available."""
        return self._change("install", *options, values=values)

    def upgrade(self, values: Mapping[str, Any]) -> str:
        """Change some values of the release, keep the others, and wait."""
        return self._change("upgrade", "--reset-then-reuse-values", values=values)

    def rollback(self) -> str:
        """Go back to the revision before this one, and wait."""
        return self.run("rollback", RELEASE, *self._patience())

    def uninstall(self) -> str:
        """Remove the release, and wait until its objects are gone."""
        return self.run("uninstall", RELEASE, *self._patience())

    def test(self) -> str:
        """Run the tests of the release.

        Raises:
            StepFailed: one of them failed.
        """
        return self.run("test", RELEASE, f"--timeout={WAIT_SECONDS}s")

    def status(self) -> str:
        """Return the state of the release."""
        said = json.loads(self.run("status", RELEASE, "--output=json"))
        return str(said["info"]["status"])

    def run(self, *words: str, stdin: str | None = None) -> str:
        """Run any command in the operator's namespace."""
        place = (f"--kubeconfig={self.kubeconfig}", f"--namespace={OPERATOR_NAMESPACE}")
        return run(
            [self.program, *words, *place],
            stdin=stdin,
            timeout_seconds=WAIT_SECONDS + 60,
        )

    def _change(self, command: str, *options: str, values: Mapping[str, Any]) -> str:
        words = (command, RELEASE, self.chart, "--values=-", *options)
        return self.run(*words, *self._patience(), stdin=json.dumps(values))

    @staticmethod
    def _patience() -> tuple[str, ...]:
        return ("--wait", f"--timeout={WAIT_SECONDS}s")
