"""The keys that all replicas of a hub share, read live from files.

The operator rotates: `current` becomes `previous`, a new `current` appears. Kubelets
bring the new files to the pods minutes apart, so a replica accepts both at once but
goes on signing with the older key until the newer one has had time to reach all:
otherwise a session signed by a quick replica is a forgery to a slow one.

This module never writes a key, and never logs one.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

SETTLING_SECONDS = 180.0
"""Kubelets refresh Secret volumes about once a minute, from a cache as old again."""

SHORTEST_REREAD_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Keyring:
    """What to sign with, and every key whose signatures are believed."""

    signing: bytes = field(repr=False)
    accepted: tuple[bytes, ...] = field(repr=False)
    state: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyMaterial:
    """The content of the files; empty where a file is missing."""

    current: bytes = field(repr=False)
    previous: bytes = field(default=b"", repr=False)
    state: bytes = field(default=b"", repr=False)
    current_age_seconds: float = 0.0


def build_keyring(material: KeyMaterial) -> Keyring:
    """Choose the signing key: the older one while the newer is still on its way."""
    settling = material.current_age_seconds < SETTLING_SECONDS
    signing = (settling and material.previous) or material.current
    accepted = tuple(key for key in (material.current, material.previous) if key)
    return Keyring(signing, accepted, material.state or material.current)


def build_random_keyring() -> Keyring:
    """Make keys for a process that stands alone."""
    key = secrets.token_bytes(32)
    return Keyring(key, (key,), secrets.token_bytes(32))


def find_key_material(keys_dir: Path) -> KeyMaterial | None:
    """Read the files; None when there is no current key."""
    current = find_key(keys_dir / "current")
    if not current:
        return None
    written_at = (keys_dir / "current").stat().st_mtime
    return KeyMaterial(
        current,
        find_key(keys_dir / "previous"),
        find_key(keys_dir / "state"),
        max(0.0, time.time() - written_at),
    )


def find_key(path: Path) -> bytes:
    """Return a key file's content, empty when there is none."""
    try:
        return path.read_bytes().strip()
    except (FileNotFoundError, NotADirectoryError):
        return b""


class LiveKeyring:
    """The keyring of now.

    `keyring` is plain memory; `refresh` reads the files again in a thread, at most
    once a second. Unreadable files leave the last keyring in force: a glitch of a
    volume must not end every session.
    """

    def __init__(
        self, keys_dir: Path, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._keys_dir = keys_dir
        self._clock = clock
        self._read_at = clock()
        material = find_key_material(keys_dir)
        self._shared = material is not None
        self.keyring = build_keyring(material) if material else build_random_keyring()

    async def refresh(self) -> None:
        """Read the files again, if the last reading is not a moment ago."""
        if self._clock() - self._read_at < SHORTEST_REREAD_SECONDS:
            return
        self._read_at = self._clock()
        try:
            material = await asyncio.to_thread(find_key_material, self._keys_dir)
        except OSError:
            return
        if material is not None:
            self.keyring = build_keyring(material)
