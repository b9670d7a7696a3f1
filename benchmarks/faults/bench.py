"""Two hubs on a real cluster, and what is done to them with kubectl.

Their database has a view that takes five seconds, and two roles with passwords of
their own, so that credentials can be changed while both are valid.
"""

import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from benchmarks.faults.hubs import (
    CREDENTIALS,
    REPLICAS,
    TOKENS,
    build_hub,
    build_secret,
)
from benchmarks.faults.pods import Pod, is_complete, is_ready, pod_hub
from tools.quickstart.site import KIND, NAMESPACE, OPERATOR_NAMESPACE, Site
from tools.quickstart.steps import Shell, StepFailedError
from tools.quickstart.trial import SERVER, Trial

ROLES = ("steady_a", "steady_b")
HUB_KIND = "mcphubs.mcp.bigtorig.com"
RESTART, ROTATE = "mcp.bigtorig.com/restart", "mcp.bigtorig.com/rotate"
POKE = "bench.bigtorig.com/poke"
TOKENS_FOLDER = "/etc/mcphub/tokens"
DATABASE_PODS = "app.kubernetes.io/name=trial-postgres"
HUB_PODS = f"app.kubernetes.io/instance in ({','.join(REPLICAS)})"
SETTLE_SECONDS = 180.0
POLL_SECONDS = 0.3

PREPARE_SQL = """
CREATE OR REPLACE VIEW five_seconds AS SELECT pg_sleep(5)::text AS slept;
GRANT SELECT ON five_seconds TO mcphub;
"""
MAKE_ROLE_SQL = """
DROP ROLE IF EXISTS {role};
CREATE ROLE {role} LOGIN PASSWORD '{password}' IN ROLE mcphub;
"""


class Clients(Protocol):
    """What sends the calls, and takes a new token."""

    def renew(self, token: str) -> None:
        """Begin new sessions with another token, between calls."""

    @property
    def is_renewed(self) -> bool:
        """Whether every client has done so."""


@dataclass(slots=True)
class Bench:
    """The cluster, its two hubs, and their Secrets as of now.

    Attributes:
        spare_node: The node that faults take away: it carries hubs, and neither the
            control plane nor the database.
    """

    trial: Trial
    shell: Shell
    clients: Clients | None = None
    spare_node: str = ""
    second_image: str = ""
    passwords: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    times: list[str] = field(default_factory=list)

    # -- asking and telling --------------------------------------------------

    @property
    def site(self) -> Site:
        """Where the cluster is."""
        return self.trial.site

    def kubectl(self, *words: str, stdin: str | None = None) -> str:
        """Run kubectl in the hubs' namespace."""
        return self.trial.kubectl(self.shell, "-n", NAMESPACE, *words, stdin=stdin)

    def list_objects(self, kind: str, *words: str) -> list[dict[str, Any]]:
        """Return objects of a kind."""
        found = json.loads(self.kubectl("get", kind, *words, "-o", "json"))
        return list(found["items"])

    def apply(self, *objects: Mapping[str, Any]) -> None:
        """Apply objects as a user does."""
        items = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl("apply", "-f", "-", stdin=json.dumps(items))

    def until(
        self, what: str, holds: Callable[[], Any], seconds: float = SETTLE_SECONDS
    ) -> None:
        """Wait until something holds; an API server that is away is asked again."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                if holds():
                    return
            except StepFailedError:
                if time.monotonic() > deadline:
                    raise
            if time.monotonic() > deadline:
                raise StepFailedError(f"{what} did not come within {seconds:g} s")
            time.sleep(POLL_SECONDS)

    @contextmanager
    def timing(self, what: str) -> Iterator[None]:
        """Note how long something takes."""
        started = time.monotonic()
        yield
        self.times.append(f"{what}: {time.monotonic() - started:.1f} s")

    # -- making --------------------------------------------------------------

    def prepare(self) -> None:
        """Make the roles, the Secrets and the hubs, and wait for these."""
        self.psql(PREPARE_SQL)
        for role in ROLES:
            self.passwords[role] = secrets.token_urlsafe(24)
            self.psql(MAKE_ROLE_SQL.format(role=role, password=self.passwords[role]))
        self.tokens = {"ann": secrets.token_urlsafe(24)}
        self.use_role(ROLES[0])
        self.use_tokens()
        self.apply(*(build_hub(name) for name in REPLICAS))
        self.settle()
        self.choose_spare_node()

    def dismantle(self) -> None:
        """Take the hubs and their Secrets away."""
        self.kubectl("delete", HUB_KIND, *REPLICAS)
        self.kubectl("delete", "secret", CREDENTIALS, TOKENS)
        self.until("the hubs' end", lambda: not self.list_pods())

    def psql(self, sql: str) -> None:
        """Run statements as the database's superuser."""
        command = ("psql", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname=shop")
        pod = ("exec", "-i", "deployment/postgres", "--")
        self.kubectl(*pod, *command, "--username=postgres", stdin=sql)

    def restart_database(self) -> None:
        """Have PostgreSQL end its sessions and start again, its data kept."""
        before = self.count_database_starts()
        self.kubectl("exec", "deployment/postgres", "--", "sh", "-c", "kill -INT 1")
        self.until(
            "PostgreSQL again",
            lambda: self.count_database_starts() > before,
        )
        self.kubectl("rollout", "status", "deployment/postgres", "--timeout=120s")

    def count_database_starts(self) -> int:
        """Return how often PostgreSQL's container was started again, if it is ready."""
        (pod,) = self.list_objects("pods", "-l", DATABASE_PODS)
        (status,) = pod["status"]["containerStatuses"]
        return int(status["restartCount"]) if status["ready"] else -1

    def use_role(self, role: str) -> None:
        """Write a role's credentials into the Secret that the hubs refer to."""
        data = {"user": role, "password": self.passwords[role]}
        self.apply(build_secret(CREDENTIALS, data))

    def use_tokens(self) -> None:
        """Write the clients' tokens into the Secret that the hubs refer to."""
        self.apply(build_secret(TOKENS, self.tokens))

    def patch_hubs(self, spec: Mapping[str, Any]) -> None:
        """Change both hubs' specs at once."""
        for hub in REPLICAS:
            patch = json.dumps({"spec": spec})
            self.kubectl("patch", HUB_KIND, hub, "--type=merge", "-p", patch)

    def annotate_hubs(self, annotation: str) -> None:
        """Set an annotation that asks the operator for something."""
        value = f"{annotation}={time.time():.0f}"
        self.kubectl("annotate", "--overwrite", HUB_KIND, *REPLICAS, value)

    def poke_pods(self) -> None:
        """Have kubelets look at their pods' volumes now, not within a minute."""
        value = f"{POKE}={time.time():.0f}"
        self.kubectl("annotate", "--overwrite", "pods", "-l", HUB_PODS, value)

    def load_second_image(self) -> None:
        """Bring the same server with another label and name to the nodes."""
        build = (KIND, "image", "build", "--name", SERVER.name)
        words = ("--build-arg", "VERSION=0.1.0-second", "--file", SERVER.dockerfile)
        image = self.shell.capture(*build, *words, SERVER.context, timeout_seconds=1800)
        load = (KIND, "load", "docker-image", "--name", self.site.cluster)
        self.shell.run(*load, image.strip())
        self.second_image = image.strip()

    # -- looking -------------------------------------------------------------

    def list_pods(self, hub: str = "") -> list[Pod]:
        """Return the pods of one hub or of both, those that end included."""
        pods: list[Pod] = list(self.list_objects("pods", "-l", HUB_PODS))
        return [pod for pod in pods if not hub or pod_hub(pod) == hub]

    def list_operator_pods(self) -> list[Pod]:
        """Return the operator's pods."""
        words = ("-n", OPERATOR_NAMESPACE, "get", "pods", "-o", "json")
        return list(json.loads(self.trial.kubectl(self.shell, *words))["items"])

    def settle(self, counts: Mapping[str, int] = REPLICAS) -> None:
        """Wait until each hub has so many ready pods of one template, and no others."""
        self.until("settled hubs", lambda: self.is_settled(counts))

    def is_settled(self, counts: Mapping[str, int]) -> bool:
        """Say whether each hub has exactly so many pods, all ready and alike."""
        pods = self.list_pods()
        return all(
            is_complete([pod for pod in pods if pod_hub(pod) == hub], count)
            for hub, count in counts.items()
        )

    def pod_uids(self) -> set[str]:
        """Return the pods of now."""
        return {pod["metadata"]["uid"] for pod in self.list_pods()}

    def is_node_ready(self, name: str) -> bool:
        """Say whether the control plane believes in a node."""
        found = self.list_objects("nodes", "--field-selector", f"metadata.name={name}")
        return all(is_ready(node) for node in found)

    def find_token_names(self) -> list[set[str]]:
        """Return the clients that each pod knows by now."""
        names = [pod["metadata"]["name"] for pod in self.list_pods()]
        listing = ("ls", TOKENS_FOLDER)
        return [set(self.kubectl("exec", n, "--", *listing).split()) for n in names]

    def signing_keys(self) -> set[str]:
        """Return the hubs' current keys, as they stand in their Secrets."""
        secrets_of = (f"{hub}-keys" for hub in REPLICAS)
        return {
            secret["data"]["current"]
            for secret in self.list_objects("secrets", *secrets_of)
        }

    def find_hubs_on(self, node: str) -> set[str]:
        """Return the hubs that have a pod on a node."""
        pods = self.list_pods()
        return {pod_hub(pod) for pod in pods if pod["spec"].get("nodeName") == node}

    def require_hubs_on_spare_node(self) -> None:
        """Raise unless both hubs have a pod on the spare node."""
        if self.find_hubs_on(self.spare_node) != set(REPLICAS):
            raise StepFailedError(f"not every hub has a pod on {self.spare_node}")

    def choose_spare_node(self) -> None:
        """Choose the node that faults take away."""
        database = self.list_objects("pods", "-l", DATABASE_PODS)
        taken = {pod["spec"]["nodeName"] for pod in database}
        used = {pod["spec"]["nodeName"] for pod in self.list_pods()}
        self.spare_node = min(used - taken)

    def addresses(self) -> list[str]:
        """Return the addresses of the nodes that no fault takes away."""
        return [
            address["address"]
            for node in self.list_objects("nodes")
            for address in node["status"]["addresses"]
            if address["type"] == "InternalIP"
            and node["metadata"]["name"] != self.spare_node
        ]
