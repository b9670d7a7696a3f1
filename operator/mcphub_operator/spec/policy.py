"""Which peers may connect to a hub, and to which peers a hub may connect."""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from mcphub_operator.spec.model import Model, rule, rules
from mcphub_operator.spec.strings import CIDR, LabelValue, Text


class SelectorOperator(StrEnum):
    """How a requirement compares a label."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


class LabelRequirement(Model):
    """One comparison of a label selector."""

    key: Text
    """The label."""

    operator: SelectorOperator
    """In and NotIn take values; Exists and DoesNotExist take none."""

    values: Annotated[tuple[LabelValue, ...], Field(max_length=32)] = ()
    """The values to compare with."""


class LabelSelector(Model):
    """Labels that select pods or namespaces. Empty: all."""

    match_labels: Annotated[dict[str, LabelValue], Field(max_length=32)] | None = None
    """Labels that must have these values."""

    match_expressions: (
        Annotated[tuple[LabelRequirement, ...], Field(max_length=32)] | None
    ) = None
    """Comparisons that must hold."""


class IPBlock(Model):
    """An address range, with exceptions."""

    cidr: CIDR
    """The range."""

    except_: Annotated[
        Annotated[tuple[CIDR, ...], Field(max_length=32)] | None,
        Field(alias="except"),
    ] = None
    """Ranges within it that are excluded."""


class Peer(Model):
    """A peer, as in a NetworkPolicy."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "has(self.ipBlock) != (has(self.podSelector)"
                " || has(self.namespaceSelector))",
                "needs either ipBlock, or podSelector and namespaceSelector (one of"
                " them or both)",
            )
        )
    )

    ip_block: IPBlock | None = None
    """An address range."""

    pod_selector: LabelSelector | None = None
    """Pods in the hub's namespace, or in the namespaces of namespaceSelector."""

    namespace_selector: LabelSelector | None = None
    """Namespaces: all of their pods, or those of podSelector."""


Peers = Annotated[tuple[Peer, ...], Field(max_length=32)]


class NetworkPolicySpec(Model):
    """The hub's NetworkPolicy. It requires a network plugin that enforces policies."""

    enabled: bool = True
    """Whether the operator creates a NetworkPolicy."""

    ingress_from: Peers = ()
    """Peers that may connect to the MCP port. Empty: all. Through a NodePort, clients
    have the address of a node, so pod selectors do not match them."""

    egress_to: Peers = ()
    """Additional peers to which the hub may connect, on any port. The policy always
    allows backends, DNS, the identity provider and the embedding endpoint."""

    monitoring_from: Peers = ()
    """Peers that may connect to the management port, in addition to the operator."""
