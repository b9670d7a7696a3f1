"""Pods that are not there: ready ones in the API, and a server that answers for them.

One address stands for all of them. The server answers a poll as a hub does: at once
where the poller knows nothing yet, else when the time that it would wait is over, for
nothing changes here.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from aiohttp import web

from benchmarks.operator.baseline import run_jobs, send
from benchmarks.operator.hubs import Write
from benchmarks.operator.plane import User
from mcphub_operator import names
from mcphub_operator.client.encoding import encode_body
from mcphub_operator.client.kinds import DEPLOYMENT, POD
from mcphub_operator.client.writer import MERGE

ADDRESS = f"127.77.{os.getpid() // 256 % 256}.{os.getpid() % 255 + 1}"
"""Of loopback; another run at the same time has another."""
ETAG = '"1"'
REPORT = {
    "version": "0.1.0",
    "serving": True,
    "draining": False,
    "sessions": 0,
    "inFlight": 0,
    "backends": [
        {
            "name": "postgres",
            "type": "PostgreSQL",
            "state": "Connected",
            "reason": "",
            "message": "",
            "since": "2026-01-01T00:00:00Z",
        }
    ],
}
CONCURRENCY = 16


async def _answer(request: web.Request) -> web.Response:
    if request.headers.get("If-None-Match") == ETAG:
        wait = request.headers.get("Prefer", "wait=0").partition("=")[2]
        await asyncio.sleep(float(wait))
        return web.Response(status=304, headers={"ETag": ETAG})
    return web.json_response(REPORT, headers={"ETag": ETAG})


@asynccontextmanager
async def answering_pods() -> AsyncIterator[None]:
    """Answer every pod's status while the block lasts."""
    app = web.Application()
    app.router.add_get(names.PATH_STATUS, _answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, ADDRESS, names.PORT_MANAGEMENT_NUMBER).start()
    try:
        yield
    finally:
        await runner.cleanup()


async def bring_up(user: User, hubs: Iterable[str]) -> None:
    """Play controllers and kubelets: one ready pod a hub, and a finished rollout."""
    jobs = [partial(_bring_up, user, hub) for hub in hubs]
    await run_jobs(jobs, CONCURRENCY)


async def _bring_up(user: User, hub: str) -> None:
    for write in (_create_pod(user, hub), _ready(user, hub), _rolled_out(user, hub)):
        await send(user.connection, write)


def _create_pod(user: User, hub: str) -> Write:
    pod = {
        "apiVersion": "v1",
        "kind": POD.name,
        "metadata": {"name": hub, "labels": names.selector_labels(hub)},
        "spec": {
            "serviceAccountName": hub,
            "automountServiceAccountToken": False,
            "containers": [{"name": "server", "image": "mcphub-server"}],
        },
    }
    path = POD.path(user.namespace)
    return Write("POST", path, "application/json", encode_body(pod))


def _ready(user: User, hub: str) -> Write:
    status = {
        "phase": "Running",
        "podIP": ADDRESS,
        "podIPs": [{"ip": ADDRESS}],
        "conditions": [{"type": "Ready", "status": "True"}],
    }
    return _patch_status(POD.path(user.namespace, hub), status)


def _rolled_out(user: User, hub: str) -> Write:
    counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    conditions = [
        {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"},
        {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
    ]
    status = {
        **dict.fromkeys(counts, 1),
        "observedGeneration": 1,
        "conditions": conditions,
    }
    return _patch_status(DEPLOYMENT.path(user.namespace, hub), status)


def _patch_status(path: str, status: dict[str, Any]) -> Write:
    return Write("PATCH", f"{path}/status", MERGE, encode_body({"status": status}))
