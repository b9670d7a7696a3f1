"""The operator's settings: environment variables, each overridable by a flag.

Parsed once, in `__main__`; everything below gets values. Each has its unit in its name
and its reason in its comment.
"""

import argparse
from collections.abc import Mapping, Sequence
from enum import StrEnum
from importlib.metadata import version
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from mcphub_operator.errors import InvalidSettings

PREFIX = "MCPHUB_"


class PodAccess(StrEnum):
    """How the operator reaches a pod's management port."""

    AUTO = "auto"
    DIRECT = "direct"
    PROXY = "proxy"


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


Names = Annotated[tuple[str, ...], BeforeValidator(_split)]
_SecretName = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")]
SecretNames = Annotated[tuple[_SecretName, ...], BeforeValidator(_split)]


class Settings(BaseModel):
    """What can be set; the description of a field is its help."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    server_image: str = "mcphub-server:" + version("mcphub")
    """image of hubs that name none"""

    image_pull_secrets: SecretNames = ()
    """Secrets to pull images with, for hubs that name none, separated by commas; each
    is a Secret in the namespace of the hub"""

    namespaces: Names = ()
    """namespaces to serve, separated by commas; empty: all of the cluster"""

    kubeconfig: str = ""
    """kubeconfig file; empty: the service account, else the user's default"""

    log_level: Annotated[str, Field(pattern="^(debug|info|warning|error)$")] = "info"
    """debug, info, warning or error"""

    log_format: Annotated[str, Field(pattern="^(json|text)$")] = "json"
    """json, or text for people"""

    workers: Annotated[int, Field(ge=1, le=128)] = 16
    """hubs reconciled at the same time; the API server's limit is reached at 16"""

    http_port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """port of /healthz, /readyz and /metrics; 0: none"""

    leader_election: bool = True
    """write only while holding the Lease; false: for one process in development"""

    lease_namespace: str = ""
    """namespace of the Lease; empty: the service account's"""

    lease_name: str = "mcphub-operator"
    """name of the Lease"""

    identity: str = ""
    """name of this replica in the Lease; empty: host name and a random part"""

    pod_access: PodAccess = PodAccess.AUTO
    """direct, proxy (through the API server; for development), or auto: direct inside
    the cluster, else proxy"""

    relist_seconds: Annotated[float, Field(gt=0)] = 600.0
    """how often everything is listed and reconciled again, in case a watch lost
    something"""

    metrics_grace_seconds: Annotated[float, Field(ge=0)] = 120.0
    """how long an autoscaler may be without metrics before STATUS is
    MetricsUnavailable; new pods have none for up to a minute"""

    address_grace_seconds: Annotated[float, Field(ge=0)] = 180.0
    """how long a load balancer may be without an address before Stalled is True"""

    routes: bool = True
    """write the HTTPRoutes and Ingresses that hubs ask for; they lead clients from
    outside into the cluster, which users of hubs may not be allowed to do themselves"""

    upgrade_concurrency: Annotated[int, Field(ge=1, le=1000)] = 3
    """hubs that a new version of the operator rolls at the same time"""


def parse_settings(
    arguments: Sequence[str], environment: Mapping[str, str]
) -> Settings:
    """Read flags over environment over defaults.

    Raises:
        InvalidSettings: a value is bad; the message names the variable.
    """
    given = {
        name: environment[PREFIX + name.upper()]
        for name in Settings.model_fields
        if environment.get(PREFIX + name.upper())
    }
    flags = vars(_build_parser().parse_args(arguments))
    try:
        return Settings.model_validate(given | flags)
    except ValidationError as error:
        first = error.errors()[0]
        name = PREFIX + str(first["loc"][0]).upper()
        raise InvalidSettings(f"{name}: {first['msg']}") from None


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mcphub-operator",
        description="Create and maintain the objects of every McpHub.",
        argument_default=argparse.SUPPRESS,
    )
    for name, field in Settings.model_fields.items():
        parser.add_argument(
            "--" + name.replace("_", "-"),
            help=f"{field.description} (environment: {PREFIX}{name.upper()};"
            f" default: {field.default or 'none'!s})".replace("%", "%%"),
        )
    return parser
