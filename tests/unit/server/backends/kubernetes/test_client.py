"""One client for all requests, however many are the first."""

import asyncio
from pathlib import Path

from mcphub_server.backends.kubernetes.backend import KubernetesBackend
from mcphub_server.config.backends import KubernetesConfig


async def test_requests_at_once_share_one_client(tmp_path: Path) -> None:
    backend = KubernetesBackend("cluster", KubernetesConfig(), tmp_path)

    clients = await asyncio.gather(*(backend._find_client() for _ in range(3)))
    await backend.close()

    assert len({id(client) for client in clients}) == 1
    assert all(client.is_closed for client in clients)
