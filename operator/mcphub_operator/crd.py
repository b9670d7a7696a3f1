"""The CustomResourceDefinition of McpHub, made from the typed spec.

`python -m mcphub_operator.crd` prints it; `make crd` writes it to crds/mcphubs.yaml,
and a test holds the two together.
"""

import sys
from typing import Any

import yaml

from mcphub_operator import names
from mcphub_operator.crd_schema import JSON, structural_schema
from mcphub_operator.spec.hub_spec import HubSpec
from mcphub_operator.spec.model import RULES, rule
from mcphub_operator.spec.status_schema import HubStatus

HEADER = "# Made by `make crd` from operator/mcphub_operator/spec; do not edit.\n"

_READY = '.status.conditions[?(@.type=="Ready")]'

# The name of a hub begins the names of its children, which are DNS labels of at most
# 63 characters; pods add up to 11 of their own.
_NAME_RULE = rule(
    "self.metadata.name.size() <= 52"
    " && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
    "metadata.name must be at most 52 characters of small letters, digits and '-',"
    " starting with a letter and not ending with '-'",
    field="metadata.name",
)


def build_crd() -> JSON:
    """Return the CRD as the API server takes it."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{names.PLURAL}.{names.GROUP}"},
        "spec": {
            "group": names.GROUP,
            "names": {
                "kind": names.KIND,
                "listKind": f"{names.KIND}List",
                "plural": names.PLURAL,
                "singular": names.KIND.lower(),
                "shortNames": ["mhub"],
                "categories": ["all"],
            },
            "scope": "Namespaced",
            "versions": [_version()],
        },
    }


def _version() -> JSON:
    return {
        "name": names.VERSION,
        "served": True,
        "storage": True,
        "subresources": {
            "status": {},
            "scale": {
                "specReplicasPath": ".spec.replicas",
                "statusReplicasPath": ".status.replicas",
                "labelSelectorPath": ".status.selector",
            },
        },
        "additionalPrinterColumns": _columns(),
        "schema": {"openAPIV3Schema": _root_schema()},
    }


def _columns() -> list[JSON]:
    return [
        _column("Ready", ".status.summary.replicas", "Ready and wanted replicas"),
        _column("Backends", ".status.summary.backends", "Connected backends"),
        _column("Status", f"{_READY}.reason", "Why the hub is Ready or not"),
        _column("URL", ".status.endpoints.mcp", "Where MCP clients connect"),
        _column("Age", ".metadata.creationTimestamp", "Age of the hub", type="date"),
        _wide("Image", ".status.summary.image", "Image that the pods should run"),
        _wide("Autoscaled", ".status.summary.autoscaling", "Fewest-most replicas"),
        _wide("Message", f"{_READY}.message", "The status in a sentence"),
    ]


def _column(name: str, path: str, text: str, **more: Any) -> JSON:
    column = {"name": name, "type": "string", "jsonPath": path, "description": text}
    return column | more


def _wide(name: str, path: str, text: str) -> JSON:
    return _column(name, path, text, priority=1)


def _root_schema() -> JSON:
    return {
        "description": "An MCP hub: databases served as read-only tools to AI"
        " assistants.",
        "type": "object",
        RULES: [_NAME_RULE],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {
                "type": "object",
                "properties": {"name": {"type": "string"}},
            },
            "spec": structural_schema(HubSpec) | {"default": {}},
            "status": structural_schema(HubStatus),
        },
    }


class _Dumper(yaml.SafeDumper):
    """Writes equal parts twice: anchors would make the file hard to read."""

    def ignore_aliases(self, _data: object) -> bool:
        return True


def render_crd() -> str:
    """Return the text of crds/mcphubs.yaml."""
    return HEADER + yaml.dump(
        build_crd(), Dumper=_Dumper, sort_keys=False, width=88, allow_unicode=True
    )


if __name__ == "__main__":
    sys.stdout.write(render_crd())
