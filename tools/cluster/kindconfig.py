"""Reads kind's own configuration file (kind.x-k8s.io/v1alpha4).

The same file serves the real kind and the clusters made here, so a field that only
the real one honours is refused rather than dropped: a test that relies on it would
otherwise pass or fail by the machine it runs on.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from tools.cluster.errors import BadInput

Port = Annotated[int, Field(ge=1, le=65535)]
MOST_NODES = 32


class _Model(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, populate_by_name=True
    )


class PortMapping(_Model):
    """One port of the host that leads to one port of a node."""

    container_port: Port
    host_port: Port
    listen_address: ipaddress.IPv4Address = ipaddress.IPv4Address("0.0.0.0")  # noqa: S104
    protocol: Literal["TCP", "UDP"] = "TCP"


class NodeConfig(_Model):
    """One node."""

    role: Literal["control-plane", "worker"] = "control-plane"
    image: str = ""  # which Kubernetes: the real kind's affair
    labels: dict[str, str] = {}
    extra_port_mappings: tuple[PortMapping, ...] = ()


class Networking(_Model):
    """The subnets; empty ones are chosen so that clusters do not collide.

    Those of IPv6 are always chosen: kind takes both families in one string.
    """

    ip_family: Literal["ipv4", "dual"] = "ipv4"
    pod_subnet: ipaddress.IPv4Network | None = None
    service_subnet: ipaddress.IPv4Network = ipaddress.IPv4Network("10.96.0.0/16")
    kube_proxy_mode: Literal["iptables"] = "iptables"


class KindConfig(_Model):
    """The whole file."""

    kind: Literal["Cluster"]
    api_version: Literal["kind.x-k8s.io/v1alpha4"]
    name: str = ""
    nodes: tuple[NodeConfig, ...] = ()
    networking: Networking = Networking()


DEFAULT = KindConfig(kind="Cluster", api_version="kind.x-k8s.io/v1alpha4")


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    field = ".".join(map(str, first["loc"])) or "the file"
    if first["type"] == "extra_forbidden":
        return (
            f"{field} is not supported by clusters made without Docker; remove it or "
            "run where Docker and kind work"
        )
    return f"{field}: {first['msg']}"


def _check(config: KindConfig) -> None:
    roles = Counter(node.role for node in config.nodes)
    if config.nodes and roles["control-plane"] != 1:
        raise BadInput("nodes: exactly one must have the role control-plane")
    if len(config.nodes) > MOST_NODES:
        raise BadInput(f"nodes: at most {MOST_NODES}")
    mappings = [m for node in config.nodes for m in node.extra_port_mappings]
    ports = Counter((m.protocol, m.host_port) for m in mappings)
    for (protocol, port), count in ports.items():
        if count > 1:
            raise BadInput(f"extraPortMappings: {protocol} {port} is mapped twice")


def parse_config(text: str, source: str) -> KindConfig:
    """Return the configuration that a file's text describes.

    Raises:
        BadInput: names the source, the field and what is wrong with it.
    """
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BadInput(f"{source} is not YAML: {error}") from error
    try:
        config = KindConfig.model_validate(document)
        _check(config)
    except ValidationError as error:
        raise BadInput(f"{source}: {_sentence(error)}") from error
    except BadInput as error:
        raise BadInput(f"{source}: {error}") from error
    return config


def read_config(path: Path) -> KindConfig:
    """Return the configuration in a file."""
    try:
        text = path.read_text()
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}") from error
    return parse_config(text, str(path))
