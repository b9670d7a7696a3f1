"""What the process is told by its environment: places, ports, and who it is.

These differ from replica to replica and never stand in `hub.yaml`, which all
replicas share.
"""

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class RuntimeSettings(BaseSettings):
    """The environment variables `MCPHUB_*`, and their defaults in a container."""

    model_config = SettingsConfigDict(env_prefix="MCPHUB_", frozen=True)

    config: Path = Path("/etc/mcphub/hub.yaml")
    log_level: str = ""
    host: str = ""
    """Where both ports listen; empty: on all addresses, of IPv4 and IPv6."""

    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    management_port: Annotated[int, Field(ge=0, le=65535)] = 8081
    secrets_dir: Path = Path("/etc/mcphub/secrets")
    tokens_dir: Path = Path("/etc/mcphub/tokens")
    keys_dir: Path = Path("/etc/mcphub/keys")
    tls_dir: Path = Path("/etc/mcphub/tls")

    hub: str = "mcphub"
    namespace: str = ""
    pod_name: str = ""
    pod_ip: str = ""
    pod_uid: str = ""

    @property
    def origin(self) -> dict[str, str]:
        """Where log lines and spans come from."""
        return {"hub": self.hub, "namespace": self.namespace, "pod": self.pod_name}

    drain_linger_seconds: Annotated[float, Field(ge=0)] = 6.0
    """How long idle connections are left alone on SIGTERM: clients drop theirs after
    4 to 5 s, and one that is closed as a request leaves kills some of them."""

    key_settling_seconds: Annotated[float, Field(gt=0)] = 180.0
    """How long a new signing key is believed before it is used: kubelets refresh
    Secret volumes about once a minute, from a cache as old again."""

    probe_interval_seconds: Annotated[float, Field(gt=0)] = 3.0
    """How often each backend is checked; also the longest time for which calls are
    refused after it has come back."""

    max_streams: Annotated[int, Field(ge=0)] = 0
    """How many streams a replica holds; 0: as many as its memory limit has room for."""

    resume_modern_replies: bool = True
    """Let clients of revision 2026-07-28 resume a slow reply whose connection broke.
    Its text forbids that, but all clients do it, and without it a killed replica takes
    their calls along."""
