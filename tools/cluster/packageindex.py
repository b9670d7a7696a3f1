"""Lets a build reach this machine's package indexes without changing the image.

Some machines reach their package index only with a certificate bundle or a pip
configuration of their own. Both are mounted read-only while the image is built; the
Dockerfile and the result stay clean.
"""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from tools.cluster.commands import run

CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
PIP_CONFIG = "/etc/pip.conf"
# Settings of one machine's pip that mean nothing, or harm, inside an image.
NOT_FOR_IMAGES = frozenset(
    {"config-file", "target", "user", "prefix", "require-virtualenv"}
)


def parse_pip_settings(listing: str) -> dict[str, str]:
    """Return the settings that `pip config list` shows, environment included.

    Lines look like `global.index-url='https://…'` and `:env:.find-links='/opt/x'`.
    """
    settings: dict[str, str] = {}
    for line in listing.splitlines():
        key, _, value = line.partition("=")
        name = key.rpartition(".")[2].replace("_", "-")
        if name and name not in NOT_FOR_IMAGES:
            settings[name] = value.strip("'\"")
    return settings


def _settings() -> dict[str, str]:
    return parse_pip_settings(run([sys.executable, "-m", "pip", "config", "list"]))


def write_pip_config(path: Path) -> None:
    """Write this machine's pip settings as one file that only its owner may read."""
    config = configparser.RawConfigParser()
    config["global"] = {
        # A value of several words, as find-links may be, stands on lines of its own.
        name: value.replace("\\n", "\n")
        for name, value in _settings().items()
    }
    path.touch(mode=0o600)
    with path.open("w") as file:
        config.write(file)


def _local_folders(settings: Mapping[str, str]) -> list[Path]:
    words = [
        w for name in ("find-links", "cert") for w in settings.get(name, "").split()
    ]
    return [Path(word) for word in words if Path(word).is_absolute()]


def read_only_mounts(pip_config: Path) -> list[str]:
    """Return the mounts that a build gets, as `source:target:ro`."""
    mounts = {str(pip_config): PIP_CONFIG}
    for path in (CERTIFICATES, *_local_folders(_settings())):
        if path.exists():
            mounts[str(path)] = str(path)
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        extra = os.environ.get(name, "")
        if extra and Path(extra).exists():
            mounts[extra] = str(CERTIFICATES)
    return [f"{source}:{target}:ro" for source, target in mounts.items()]
