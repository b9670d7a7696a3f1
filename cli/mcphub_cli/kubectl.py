"""The user's cluster, through the user's own kubectl.

A plugin runs where kubectl runs. To call it keeps every kubeconfig, login plugin and
proxy setting of the user working, and starts three times faster than an import of the
Kubernetes client for Python. No other module knows that kubectl exists.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from mcphub_cli.errors import ClusterError

REQUEST_SECONDS = 30
FORWARD_SECONDS = 15

_LISTENS = re.compile(r"Forwarding from (127\.0\.0\.1:\d+) ")
_NO_CLUSTER = (
    "No cluster is configured: set KUBECONFIG or pass --kubeconfig;"
    " `kubectl config current-context` shows which cluster kubectl uses."
)
_NO_DEFINITION = (
    "This cluster has no McpHub definition (CRD): install the mcphub operator first."
)
_FAILURES = (
    (r"no configuration has been provided|server localhost:8080 ", _NO_CLUSTER),
    (r"current-context must exist|context was not found", _NO_CLUSTER),
    (r"no context exists|context .* does not exist", "{line}"),
    (r"error loading config file|stat .*: no such file", "No kubeconfig: {line}."),
    (r"doesn't have a resource type|no matches for kind", _NO_DEFINITION),
    (r"could not find the requested resource", _NO_DEFINITION),
    (r"Unauthorized|must be logged in", "The API server refuses your login: {line}."),
    (r"Forbidden|forbidden", "You lack a right in this cluster: {line}."),
    (
        r"Unable to connect|was refused|no such host|i/o timeout|deadline exceeded",
        "The API server does not answer: {line}.",
    ),
)
_PREFIX = re.compile(r"^(?:error|Error from server(?: \((\w+)\))?):\s*")


@dataclass(frozen=True, slots=True)
class Kubectl:
    """kubectl with the user's choice of cluster and namespace."""

    flags: tuple[str, ...] = ()

    def get(self, *arguments: str) -> dict[str, Any]:
        """Return what `kubectl get … -o json` prints.

        Raises:
            NotFoundError: the object does not exist.
            ClusterError: anything else.
        """
        printed = self.run("get", *arguments, "-o", "json")
        found: dict[str, Any] = json.loads(printed)
        return found

    def run(self, *arguments: str) -> str:
        """Return what a command prints.

        Raises:
            NotFoundError: an object does not exist.
            ClusterError: anything else.
        """
        command = self._command(*arguments, f"--request-timeout={REQUEST_SECONDS}s")
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            raise _no_kubectl() from None
        if done.returncode != 0:
            raise explain(done.stderr)
        return done.stdout

    def stream(self, *arguments: str) -> Iterator[str]:
        """Yield the lines of a command that may last, until it or the caller ends.

        Raises:
            ClusterError: it failed.
        """
        with self._start(*arguments) as process:
            assert process.stdout is not None  # noqa: S101 - for the type checker
            assert process.stderr is not None  # noqa: S101
            try:
                yield from process.stdout
                if process.wait() != 0:
                    raise explain(process.stderr.read())
            finally:
                process.terminate()

    @contextmanager
    def forward(self, target: str, port: str, scheme: str = "http") -> Iterator[str]:
        """Yield `SCHEME://127.0.0.1:PORT`, which leads to a port of a Service or pod.

        Raises:
            ClusterError: no pod is running, or the user may not forward ports.
        """
        wait = f"--pod-running-timeout={FORWARD_SECONDS}s"
        words = ("port-forward", target, f":{port}", "--address=127.0.0.1", wait)
        with self._start(*words) as process:
            assert process.stdout is not None  # noqa: S101 - for the type checker
            assert process.stderr is not None  # noqa: S101
            try:
                found = _LISTENS.search(process.stdout.readline())
                if found is None:
                    process.terminate()
                    raise explain(process.stderr.read())
                yield f"{scheme}://{found[1]}"
            finally:
                process.terminate()

    def _command(self, *arguments: str) -> list[str]:
        return ["kubectl", *arguments, *self.flags]

    def _start(self, *arguments: str) -> subprocess.Popen[str]:
        try:
            return subprocess.Popen(
                self._command(*arguments),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        except FileNotFoundError:
            raise _no_kubectl() from None


class NotFoundError(ClusterError):
    """The API server has no object of this name."""


def explain(printed: str) -> ClusterError:
    """Return the error for what kubectl printed to stderr."""
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    line = next((each for each in lines if _PREFIX.match(each)), (lines or [""])[-1])
    prefix = _PREFIX.match(line)
    told = line[prefix.end() :] if prefix else line
    if prefix and prefix[1] == "NotFound" and "requested resource" not in told:
        return NotFoundError(f"{told}.")
    for pattern, sentence in _FAILURES:
        if re.search(pattern, printed):
            return ClusterError(sentence.format(line=told.rstrip(".")))
    return ClusterError(f"kubectl failed: {told or 'it printed no reason'}")


def _no_kubectl() -> ClusterError:
    return ClusterError("kubectl is not on the PATH; install it, then repeat.")
