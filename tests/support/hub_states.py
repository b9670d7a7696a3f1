"""What a running hub says of its backends, and waiting for it to say something."""

from typing import Any

import httpx

from tests.support.hub import Address
from tests.support.waiting import wait_until


async def find_state(hub: Address, backend: str) -> dict[str, Any]:
    """Return a backend's entry in `/status`."""
    async with httpx.AsyncClient(timeout=100) as http:
        body = (await http.get(f"{hub.management}/status")).json()
    found: dict[str, Any] = next(
        each for each in body["backends"] if each["name"] == backend
    )
    return found


async def wait_for_state(
    hub: Address, backend: str, wanted: str, reason: str | None = None
) -> dict[str, Any]:
    """Return the entry once the backend is in a state, for a reason if one is given.

    On a slow machine the first attempt may time out before its real reason shows.
    """
    shown: dict[str, Any] = {}

    async def reached() -> bool:
        nonlocal shown
        shown = await find_state(hub, backend)
        return shown["state"] == wanted and reason in (None, shown["reason"])

    try:
        await wait_until(reached)
    except AssertionError:
        raise AssertionError(f"{backend} never {wanted} {reason}: {shown}") from None
    return shown
