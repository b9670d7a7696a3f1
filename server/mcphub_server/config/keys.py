"""The key that replicas share so that each accepts the others' cursors."""

import secrets
from pathlib import Path

KEY_BYTES = 32


def read_state_key(keys_dir: Path) -> bytes:
    """Return the shared key; one of this process alone where no operator made any."""
    try:
        key = (keys_dir / "state").read_bytes().strip()
    except OSError:
        key = b""
    return key or secrets.token_bytes(KEY_BYTES)
