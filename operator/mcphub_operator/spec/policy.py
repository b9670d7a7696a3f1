"""Whom a hub may talk to, and who may talk to it."""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from mcphub_operator.spec.model import Model, rule, rules
from mcphub_operator.spec.strings import CIDR, LabelValue, Text


class SelectorOperator(StrEnum):
    """How a label is compared."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


class LabelRequirement(Model):
    """One comparison of a label selector."""

    key: Text
    """The label."""

    operator: SelectorOperator
    """In and NotIn take values, Exists and DoesNotExist none."""

    values: Annotated[tuple[LabelValue, ...], Field(max_length=32)] = ()
    """The values to compare with."""


class LabelSelector(Model):
    """Labels that select pods or namespaces; empty selects all."""

    match_labels: Annotated[dict[str, LabelValue], Field(max_length=32)] | None = None
    """Labels that must have these values."""

    match_expressions: (
        Annotated[tuple[LabelRequirement, ...], Field(max_length=32)] | None
    ) = None
    """Comparisons that must hold."""


class IPBlock(Model):
    """A range of addresses with holes."""

    cidr: CIDR
    """The range."""

    except_: Annotated[
        Annotated[tuple[CIDR, ...], Field(max_length=32)] | None,
        Field(alias="except"),
    ] = None
    """Ranges inside it that are left out."""


class Peer(Model):
    """One side of a connection, as in a NetworkPolicy."""

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
    """A range of addresses."""

    pod_selector: LabelSelector | None = None
    """Pods, in the hub's namespace unless namespaceSelector says otherwise."""

    namespace_selector: LabelSelector | None = None
    """Namespaces, all their pods unless podSelector says otherwise."""


Peers = Annotated[tuple[Peer, ...], Field(max_length=32)]


class NetworkPolicySpec(Model):
    """The hub's NetworkPolicy; it needs a network plugin that enforces policies."""

    enabled: bool = True
    """Whether there is one."""

    ingress_from: Peers = ()
    """Who may reach the MCP port; empty means anyone. Through a NodePort all clients
    look like nodes, so pod selectors do not match them."""

    egress_to: Peers = ()
    """Further peers that the hub may reach, on any port. Backends, DNS, the identity
    provider and the embedding endpoint are allowed by themselves."""

    monitoring_from: Peers = ()
    """Who may scrape the management port, beside the operator."""
