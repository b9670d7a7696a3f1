"""Enforces NetworkPolicies on a cluster's nodes, by a program of Kubernetes' own.

kube-network-policies, which the real kind's kindnet contains too, decides over the
first packet of each connection, which the kernel hands to it (NFQUEUE). Its own rules
for that need an expression of nftables that some kernels lack; the rules here do the
same by iptables, and leave every decision to it. Not every cluster has the engine: a
test that does not ask for it must not wait for its build.
"""

from __future__ import annotations

import http
import json
from pathlib import Path
from typing import Any

import yaml

from tools.cluster.addons import path_of
from tools.cluster.api import ApiClient
from tools.cluster.commands import run, succeeds
from tools.cluster.errors import ClusterError
from tools.cluster.namespaces import (
    enter,
    find_in_node,
    require_node_init,
    start_in_node,
)
from tools.cluster.node import Site, is_on
from tools.cluster.places import made
from tools.cluster.plan import NodePlan
from tools.programs.build import ensure_program

PROGRAM = "kube-network-policies"
MANIFEST = Path(__file__).parent / "manifests" / "policies.yaml"
NOTE = "policy-engine"
ACCOUNT = Path("run/secrets/kubernetes.io/serviceaccount")
"""Where the engine looks for what a pod would have; it knows no kubeconfig."""

TOKEN_PATH = f"/api/v1/namespaces/kube-system/serviceaccounts/{PROGRAM}/token"
TOKEN_SECONDS = 365 * 24 * 3600
CHAIN = "MCPHUB-POLICIES"
RULES: tuple[tuple[str, ...], ...] = (
    ("-o", "lo"),
    # kubelets' probes, and what else the node itself does
    ("-m", "owner", "--uid-owner", "0"),
    ("-m", "conntrack", "--ctstate", "ESTABLISHED,RELATED"),
)
"""What passes without the engine, as in the engine's own rules."""

QUEUE = ("-j", "NFQUEUE", "--queue-num", "100")
ARGUMENTS = (
    # Without an engine, no connection of a pod with a policy comes about: a test must
    # not pass because nothing is enforced.
    "--fail-open=false",
    # containerd's interface for it is off, or missing in older releases.
    "--disable-nri",
    # Kernels from 6.12 on do not need it, and others lose no more than a first packet.
    "--netfilter-bug-1766-fix=false",
    "--metrics-bind-address=127.0.0.1:9080",
    "-v=2",
)


def enforce(site: Site) -> None:
    """Enforce policies on every node that runs, and on others once they start."""
    program = ensure_program(PROGRAM)
    client = site.client()
    for manifest in yaml.safe_load_all(MANIFEST.read_text()):
        client.apply(path_of(manifest), manifest)
    note = {"program": str(program), "token": request_token(client)}
    file = site.state.folder / NOTE
    file.touch(mode=0o600)
    file.write_text(json.dumps(note))
    for node in site.plan.nodes:
        if is_on(site, node):
            start_engine(site, node)


def request_token(client: ApiClient) -> str:
    """Return a token of the engine's account."""
    body: dict[str, Any] = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": TOKEN_SECONDS},
    }
    status, answer = client.call("POST", TOKEN_PATH, body)
    if status != http.HTTPStatus.CREATED:
        raise ClusterError(f"POST {TOKEN_PATH} got {status}")
    return str(json.loads(answer)["status"]["token"])


def start_engine(site: Site, node: NodePlan) -> None:
    """Start the engine on a node, if the cluster enforces policies."""
    file = site.state.folder / NOTE
    if not file.exists():
        return
    note, init = json.loads(file.read_text()), require_node_init(site.state, node)
    _queue_connections(init, is_dual_stack=site.plan.is_dual_stack)
    program = Path(note["program"])
    if find_in_node(init, program.name):
        return
    account = made(Path(f"/proc/{init}/root") / ACCOUNT)
    (account / "token").write_text(note["token"])
    (account / "ca.crt").write_bytes((site.state.pki / "ca.crt").read_bytes())
    place = [
        f"KUBERNETES_SERVICE_HOST={site.control_plane.advertise}",
        f"KUBERNETES_SERVICE_PORT={site.control_plane.api_port}",
    ]
    words: list[str | Path] = [
        "env",
        *place,
        program,
        f"--hostname-override={node.name}",
        *ARGUMENTS,
    ]
    start_in_node(init, words, site.state.log(node, PROGRAM))


def _queue_connections(init: int, *, is_dual_stack: bool) -> None:
    """Let the kernel hand the first packet of each connection to the engine."""
    for program in ("iptables", "ip6tables")[: 1 + is_dual_stack]:
        mangle = [*enter(init, "net"), program, "-w", "-t", "mangle"]
        if succeeds([*mangle, "-S", CHAIN]):
            continue
        discovery = [("-p", "icmpv6")] if program == "ip6tables" else []
        run([*mangle, "-N", CHAIN])
        for rule in (*discovery, *RULES):
            run([*mangle, "-A", CHAIN, *rule, "-j", "RETURN"])
        run([*mangle, "-A", CHAIN, *QUEUE])
        run([*mangle, "-A", "POSTROUTING", "-j", CHAIN])
