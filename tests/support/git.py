"""git, as a user who has no settings of their own calls it."""

import subprocess
from pathlib import Path


def git(folder: Path, *words: str) -> None:
    """Run a command of git in a folder."""
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(
        ["git", "-C", folder, *identity, *words], check=True, capture_output=True
    )
