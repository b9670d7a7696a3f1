"""What git says about the checkout that a release is built from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tools.cluster.commands import run, succeeds
from tools.cluster.errors import BadInput


@dataclass(frozen=True, slots=True)
class Checkout:
    """The commit, or the moment outside git, and where the source is published."""

    tag: str
    revision: str
    seconds: int
    source: str

    @property
    def created(self) -> str:
        """Return the time of the commit as OCI labels write it."""
        return datetime.fromtimestamp(self.seconds, UTC).isoformat()


def read_checkout(root: Path, now: datetime) -> Checkout:
    """Return what identifies the sources.

    Raises:
        BadInput: files differ from the commit.
    """
    git = ["git", "-C", str(root)]
    if not succeeds([*git, "rev-parse", "HEAD"]):
        return Checkout(f"{now:%Y%m%d-%H%M%S}", "", int(now.timestamp()), "")
    if changed := run([*git, "status", "--porcelain"]).splitlines():
        raise BadInput(
            f"the checkout has {len(changed)} uncommitted changes, the first is"
            f" {changed[0][3:]!r}: commit or remove them, then repeat"
        )
    revision, seconds = run([*git, "log", "-1", "--format=%H %ct"]).split()
    return Checkout(revision[:12], revision, int(seconds), _source(git))


def _source(git: list[str]) -> str:
    """Return the address of the repository for people; empty: it has none."""
    if not succeeds([*git, "remote", "get-url", "origin"]):
        return ""
    return parse_remote(run([*git, "remote", "get-url", "origin"]).strip())


def parse_remote(remote: str) -> str:
    """Return the web address of a remote, without credentials; empty: it has none."""
    found = re.fullmatch(
        r"(?:https://(?:[^@/]*@)?|ssh://git@|git@)([\w.-]+)[:/](.+?)(?:\.git)?/?",
        remote,
    )
    return f"https://{found[1]}/{found[2]}" if found else ""
