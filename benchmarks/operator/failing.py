"""A hub that always fails, slowly: every write of it hangs, then is an error 500.

An admission webhook that never answers does this to hubs of one namespace. It is the
worst that one hub can do: its workers wait for the whole time limit each time.
"""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from benchmarks.operator.baseline import send
from benchmarks.operator.hubs import build_hub, build_hub_write
from benchmarks.operator.plane import User
from mcphub_operator.client.api import Call, Object

TIMEOUT_SECONDS = 5
CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
NAME = "hanging"


@asynccontextmanager
async def failing_hub(user: User) -> AsyncIterator[None]:
    """Keep one hub in the user's namespace failing while the block lasts."""
    called = asyncio.Event()

    kept: list[StreamWriter] = []

    def keep_silent(_reader: StreamReader, writer: StreamWriter) -> None:
        kept.append(writer)
        called.set()

    silent = await asyncio.start_server(keep_silent, "127.0.0.1", 0)
    async with silent:
        port = silent.sockets[0].getsockname()[1]
        body = _build_webhook(f"https://127.0.0.1:{port}/", user.namespace)
        call = Call("create", "Webhook", "POST", CONFIGURATIONS, body=body)
        await user.api.ask(call)
        try:
            hub = build_hub(user.namespace, "bad")
            await send(user.connection, build_hub_write(hub))
            # Until the webhook is known to the API server and in the operator's way.
            await called.wait()
            yield
        finally:
            path = f"{CONFIGURATIONS}/{NAME}"
            await user.api.ask(Call("delete", "Webhook", "DELETE", path))
            for connection in kept:
                connection.close()


def _build_webhook(url: str, namespace: str) -> Object:
    own = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    rule = {
        "apiGroups": ["", "apps", "networking.k8s.io"],
        "apiVersions": ["*"],
        "operations": ["CREATE", "UPDATE"],
        "resources": ["configmaps", "services", "secrets", "deployments"],
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": NAME},
        "webhooks": [
            {
                "name": "hanging.bench.mcphub.example",
                "clientConfig": {"url": url},
                "namespaceSelector": own,
                "rules": [rule],
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
                "timeoutSeconds": TIMEOUT_SECONDS,
                "failurePolicy": "Fail",
            }
        ],
    }
