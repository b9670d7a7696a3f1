"""Package registries, and what to say when one does not give what is wanted.

Tools print pages when a registry is out of reach, and the line that counts is seldom
the last. Each registry knows how its client words that; a failure that is worded
otherwise, such as a compiler's, passes unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.cluster.errors import RegistryFailed, StepFailed

LONGEST_REASON = 400
PROXY = "or HTTP_PROXY and HTTPS_PROXY"


@dataclass(frozen=True, slots=True)
class Registry:
    """Where packages of one sort come from."""

    name: str
    remedy: str
    signs: tuple[str, ...]
    """What its client prints when it got nothing; the most telling first."""


APT = Registry(
    "Debian's package archive (apt)",
    f"Check /etc/apt and apt's proxy (apt-config dump Acquire::http::Proxy, {PROXY})",
    (
        r"Failed to fetch|Failed getting release file|Unable to fetch",
        r"Could not (?:resolve|connect|handshake)|Unable to connect|Couldn't download",
        r"Unable to locate package|no installation candidate",
    ),
)
PYPI = Registry(
    "The Python package index (PyPI)",
    f"Check its address (pip config list, PIP_INDEX_URL {PROXY})",
    (
        r"NewConnectionError|ProxyError|ConnectTimeoutError|Could not fetch URL",
        r"Could not install packages due to an OSError|HTTP error",
        r"No matching distribution|Could not find a version",
    ),
)
GO = Registry(
    "The Go module proxy",
    f"Check its address (go env GOPROXY, GOPROXY {PROXY})",
    (
        r"dial tcp|proxyconnect|no such host|i/o timeout|tls: |x509: ",
        r"module lookup disabled|reading http\S+: (?:403|404|410|5\d\d) ",
    ),
)
MAVEN = Registry(
    "The Maven repository",
    "Check its mirror and proxy (~/.m2/settings.xml, -Dhttps.proxyHost in MAVEN_OPTS)",
    (
        r"Could not (?:transfer|find) artifact",
        r"could not be resolved|Connection refused|Unknown host|timed out",
    ),
)
NPM = Registry(
    "The npm registry",
    f"Check its address (npm config get registry, npm_config_registry {PROXY})",
    (
        r"request to \S+ failed",
        r"ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ERR_SOCKET",
        r"npm error (?:code E[45]\d\d|[45]\d\d )",
    ),
)


@contextmanager
def fetching(
    wanted: str, *registries: Registry, log: Path | None = None
) -> Iterator[None]:
    """Turn a failed step into a sentence about the registry that caused it.

    Args:
        wanted: what comes from there.
        registries: from which of these; the first whose client complains is named.
        log: another log that may hold the reason.

    Raises:
        RegistryFailed: a registry did not give it.
        StepFailed: the step failed of something else.
    """
    try:
        yield
    except StepFailed as error:
        logs = [path for path in (error.log, log) if path is not None]
        found = find_complaint(_read_lines(logs), registries)
        if found is None:
            raise
        registry, reason = found
        raise RegistryFailed(
            f"{registry.name} did not give {wanted}: {reason}."
            f" {registry.remedy}, then repeat (log: {error.log})"
        ) from error


def find_complaint(
    lines: Sequence[str], registries: Sequence[Registry]
) -> tuple[Registry, str] | None:
    """Return the registry whose client complains, and its last complaint."""
    for registry in registries:
        for sign in registry.signs:
            for line in reversed(lines):
                if re.search(sign, line):
                    return registry, line.strip()[:LONGEST_REASON].rstrip(".")
    return None


def _read_lines(logs: Sequence[Path]) -> list[str]:
    return [
        line
        for path in reversed(logs)
        if path.exists()
        for line in path.read_text(errors="replace").splitlines()
        if not line.startswith("$ ")  # the command itself
    ]
