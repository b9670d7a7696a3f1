"""What the session layers share: keys, peers and the connections to them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from mcphub_server.config.hub import HubConfig
from mcphub_server.config.runtime import RuntimeSettings
from mcphub_server.errors import ConfigError
from mcphub_server.sessions.forwarding.forwarder import Forwarder
from mcphub_server.sessions.metrics import SessionMetrics
from mcphub_server.sessions.peers.announcements import PeerAnnouncer, PeerSet
from mcphub_server.sessions.peers.dns import DnsPeers, NoPeers, PeerDirectory
from mcphub_server.sessions.tokens.keyring import LiveKeyring
from mcphub_server.sessions.tokens.signer import Identity, TokenSigner, build_identity
from mcphub_server.tls.dialing import Dialing
from mcphub_server.traffic.state import ServerState


@dataclass(frozen=True, slots=True)
class SessionServices:
    """One set a process.

    Attributes:
        stateful: Whether `/mcp` keeps sessions, as `/sse` always does.
        resumes_modern: Whether responses of revision 2026-07-28 can be resumed.
    """

    keyring: LiveKeyring
    signer: TokenSigner
    forwarder: Forwarder
    peer_set: PeerSet
    announcer: PeerAnnouncer
    metrics: SessionMetrics
    state: ServerState
    stateful: bool
    resumes_modern: bool

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow the keys, connect to the other replicas, announce this one."""
        async with self.keyring.running(), self.forwarder, self.announcer.running():
            yield


def build_session_services(
    config: HubConfig,
    runtime: RuntimeSettings,
    registry: CollectorRegistry,
    state: ServerState,
    peers: PeerDirectory | None = None,
) -> SessionServices:
    """Make the services; must run inside the event loop that will serve."""
    keyring = LiveKeyring(runtime.keys_dir, runtime.key_settling_seconds)
    signer = TokenSigner(read_identity(runtime), keyring)
    dialing = Dialing(keyring.list_accepted if config.tls.enabled else None)
    peer_set = PeerSet(peers or build_peer_directory(runtime), signer)
    return SessionServices(
        keyring=keyring,
        signer=signer,
        forwarder=Forwarder(runtime.port, peer_set, signer, dialing),
        peer_set=peer_set,
        announcer=PeerAnnouncer(peer_set, runtime.port, dialing),
        metrics=SessionMetrics(registry),
        state=state,
        stateful=config.transports.is_stateful,
        resumes_modern=runtime.resume_modern_replies,
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


def build_peer_directory(runtime: RuntimeSettings) -> PeerDirectory:
    """Look replicas up in the headless Service; return no peers outside a pod."""
    if not (runtime.pod_ip and runtime.namespace):
        return NoPeers()
    return DnsPeers(f"{runtime.hub}-pods.{runtime.namespace}.svc")
