"""The keys that all replicas of a hub share, read live from files.

The operator rotates: `current` becomes `previous`, a new `current` appears. Kubelets
bring the new files to the pods minutes apart, so a replica accepts both keys at once
and signs with the older one until the newer one has reached all replicas: otherwise a
slow replica takes a session of a quick one for a forgery. A new replica cannot tell a
key's age by its file; a key that another replica signs with has settled. A key that is
in neither file any more is not accepted.

This module never writes a key, and never logs one.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from mcphub_server.background import keep_going

REREADS_WHILE_SETTLING = 18
SHORTEST_REREAD_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Keyring:
    """The key that signs, and every key whose signatures are accepted, newest first."""

    signing: bytes = field(repr=False)
    accepted: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyMaterial:
    """The content of the files; empty where a file is missing."""

    current: bytes = field(repr=False)
    previous: bytes = field(default=b"", repr=False)
    current_age_seconds: float = 0.0


def build_keyring(
    material: KeyMaterial, settling_seconds: float, settled: bytes = b""
) -> Keyring:
    """Choose the signing key: the older one until the newer one is everywhere.

    `settled` is a key that is known to have arrived everywhere.
    """
    is_young = material.current_age_seconds < settling_seconds
    settling = is_young and material.current != settled
    signing = (settling and material.previous) or material.current
    accepted = tuple(key for key in (material.current, material.previous) if key)
    return Keyring(signing, accepted)


def build_random_keyring() -> Keyring:
    """Make keys for a process without other replicas."""
    key = secrets.token_bytes(32)
    return Keyring(key, (key,))


def find_key_material(keys_dir: Path) -> KeyMaterial | None:
    """Read the files; None when there is no current key."""
    current = find_key(keys_dir / "current")
    if not current:
        return None
    written_at = (keys_dir / "current").stat().st_mtime
    return KeyMaterial(
        current,
        find_key(keys_dir / "previous"),
        max(0.0, time.time() - written_at),
    )


def find_key(path: Path) -> bytes:
    """Return a key file's content, empty without one."""
    try:
        return path.read_bytes().strip()
    except (FileNotFoundError, NotADirectoryError):
        return b""


class LiveKeyring:
    """The current keyring.

    The files are read again every few seconds while it runs, and at most once a second
    when a signature fits no key. Unreadable files leave the last keyring in force: a
    fault of a volume must not end every session.
    """

    def __init__(
        self,
        keys_dir: Path,
        settling_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys_dir = keys_dir
        self._settling_seconds = settling_seconds
        self._clock = clock
        self._read_at = clock()
        self._settled = b""
        material = find_key_material(keys_dir)
        self.keyring = (
            build_keyring(material, settling_seconds)
            if material
            else build_random_keyring()
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Read the files periodically until the block ends."""
        following = asyncio.create_task(keep_going(self._follow, "signing keys"))
        try:
            yield
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(self._settling_seconds / REREADS_WHILE_SETTLING)
            await self._read()

    def find_signing(self) -> bytes:
        """Return the key that signs now."""
        return self.keyring.signing

    def list_accepted(self) -> tuple[bytes, ...]:
        """Return every key whose signatures are accepted now."""
        return self.keyring.accepted

    def settle(self) -> None:
        """Sign with the current key from now on: another replica does already."""
        self._settled = self.keyring.accepted[0]
        self.keyring = replace(self.keyring, signing=self._settled)

    async def refresh(self) -> None:
        """Read the files again, at most once a second."""
        if self._clock() - self._read_at >= SHORTEST_REREAD_SECONDS:
            await self._read()

    async def _read(self) -> None:
        self._read_at = self._clock()
        try:
            material = await asyncio.to_thread(find_key_material, self._keys_dir)
        except OSError:
            return
        if material is not None:
            self.keyring = build_keyring(
                material, self._settling_seconds, self._settled
            )
