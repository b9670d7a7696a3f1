"""How clients from outside reach a hub: an HTTPRoute, an Ingress, and their URL."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import ConfigDict, Field

from mcphub_operator.spec.model import Model, rule, rules
from mcphub_operator.spec.strings import (
    AnnotationValue,
    DNSName,
    Hostname,
    NamespaceName,
    RequiredName,
)


class ParentRef(Model):
    """A Gateway, or a listener of one."""

    name: RequiredName
    """Name of the Gateway."""

    namespace: NamespaceName | None = None
    """Namespace of the Gateway, which must admit the hub's. If unset, the hub's."""

    section_name: DNSName = ""
    """Name of a listener. Empty: all listeners that admit the route."""

    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Port of a listener. If unset, any."""


class RouteSpec(Model):
    """An HTTPRoute of the Gateway API to the hub."""

    parent_refs: Annotated[tuple[ParentRef, ...], Field(min_length=1, max_length=16)]
    """The Gateways that clients connect to."""

    hostnames: Annotated[
        tuple[Hostname, ...],
        Field(
            min_length=1,
            max_length=16,
            json_schema_extra={"x-kubernetes-list-type": "set"},
        ),
    ]
    """Names that clients use for the hub. The hub accepts each as Host header. The
    first is in the URL of the status."""


class TLSSecretRef(Model):
    """A Secret of type kubernetes.io/tls."""

    name: RequiredName
    """Name of a Secret with the keys tls.crt and tls.key, as cert-manager makes it."""


class TLSSpec(Model):
    """TLS on the pods, for the port that clients connect to."""

    secret_ref: TLSSecretRef
    """The certificate, its chain and its key. A changed Secret counts within two
    minutes, without a restart."""


class IngressSpec(Model):
    """An Ingress to the hub."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "!('kubernetes.io/ingress.class' in self.annotations)",
                "the annotation kubernetes.io/ingress.class is deprecated; set"
                " ingress.className",
                field="annotations",
            ),
        )
    )

    class_name: DNSName = ""
    """Class of the Ingress, such as traefik. Empty: the cluster's default class."""

    host: Hostname
    """Name that clients use for the hub. The hub accepts it as Host header."""

    tls_secret_ref: TLSSecretRef | None = None
    """Certificate for the host. If unset, the Ingress has no `tls`, and the status an
    http URL unless publicURL is set."""

    annotations: Annotated[dict[str, AnnotationValue], Field(max_length=64)] = Field({})
    """Annotations of the Ingress, for its controller and for cert-manager."""


def find_hostnames(
    route: RouteSpec | None, ingress: IngressSpec | None
) -> Iterator[str]:
    """Yield the names by which clients may call the hub, each once."""
    names = (
        *(route.hostnames if route is not None else ()),
        *((ingress.host,) if ingress is not None else ()),
    )
    yield from dict.fromkeys(names)


def find_url(route: RouteSpec | None, ingress: IngressSpec | None) -> str:
    """Return the URL of the hub behind a Gateway or an Ingress; empty without one.

    An HTTPRoute does not say whether the listener has TLS; nearly all do.
    """
    if route is not None:
        return f"https://{route.hostnames[0]}"
    if ingress is not None:
        scheme = "http" if ingress.tls_secret_ref is None else "https"
        return f"{scheme}://{ingress.host}"
    return ""
