"""Which releases of Qdrant answer what this server asks."""

import re

from mcphub_server.errors import BackendReason, BackendUnavailable

OLDEST = (1, 10)
"""The first with the query API; older ones answer every search with 404."""

NUMBERS = re.compile(r"(\d+)\.(\d+)")


def check_release(backend: str, version: str) -> None:
    """Raise BackendUnavailable for a server that is too old; unknown texts pass."""
    found = NUMBERS.match(version)
    if found is None or (int(found[1]), int(found[2])) >= OLDEST:
        return
    raise BackendUnavailable(
        backend,
        BackendReason.UNSUPPORTED_VERSION,
        f"{backend} is unavailable: it is Qdrant {found[0]}; "
        f"{'.'.join(map(str, OLDEST))} and newer work.",
    )
