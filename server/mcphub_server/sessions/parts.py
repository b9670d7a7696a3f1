"""What the session layers work with, made from what the process was told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from mcphub_server.config.hub import HubConfig, SessionMode
from mcphub_server.config.runtime import RuntimeSettings
from mcphub_server.errors import ConfigError
from mcphub_server.sessions.identity import Identity, Signatures, build_identity
from mcphub_server.sessions.keyring import LiveKeyring
from mcphub_server.sessions.membership import Greeter, Membership
from mcphub_server.sessions.metrics import SessionMetrics
from mcphub_server.sessions.peers import Peers
from mcphub_server.sessions.replicas import Directory, DnsReplicas, NoReplicas
from mcphub_server.sessions.traffic import Traffic


@dataclass(frozen=True, slots=True)
class SessionParts:
    """One set a process.

    Attributes:
        stateful: Whether `/mcp` keeps sessions, as `/sse` always does.
        resumes_modern: Whether replies of revision 2026-07-28 can be resumed.
    """

    keyring: LiveKeyring
    signatures: Signatures
    peers: Peers
    membership: Membership
    greeter: Greeter
    metrics: SessionMetrics
    traffic: Traffic
    stateful: bool
    resumes_modern: bool

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow the keys, open the connections to the other replicas, greet them."""
        async with self.keyring.running(), self.peers, self.greeter.running():
            yield


def build_session_parts(
    config: HubConfig,
    runtime: RuntimeSettings,
    registry: CollectorRegistry,
    traffic: Traffic,
    directory: Directory | None = None,
) -> SessionParts:
    """Make the parts; must run inside the event loop that will serve."""
    keyring = LiveKeyring(runtime.keys_dir, runtime.key_settling_seconds)
    signatures = Signatures(read_identity(runtime), keyring)
    membership = Membership(directory or build_directory(runtime), signatures)
    return SessionParts(
        keyring,
        signatures,
        Peers(runtime.port, membership, signatures),
        membership,
        Greeter(membership, runtime.port),
        SessionMetrics(registry),
        traffic,
        config.transports.streamable_http.sessions is SessionMode.STATEFUL,
        runtime.resume_modern_replies,
    )


def read_identity(runtime: RuntimeSettings) -> Identity:
    """Take the identity from the environment that the operator sets."""
    try:
        return build_identity(
            runtime.namespace, runtime.hub, runtime.pod_ip, runtime.pod_uid
        )
    except ValueError:
        raise ConfigError(
            "The environment variable MCPHUB_POD_IP is not an IP address."
        ) from None


def build_directory(runtime: RuntimeSettings) -> Directory:
    """Look replicas up in the headless Service; there are none outside a pod."""
    if not (runtime.pod_ip and runtime.namespace):
        return NoReplicas()
    return DnsReplicas(f"{runtime.hub}-pods.{runtime.namespace}.svc")
