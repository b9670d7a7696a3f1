"""The pods' identity; it may do nothing by itself, and its token is not mounted."""

from mcphub_operator.resources.manifest import Manifest, build_manifest
from mcphub_operator.spec.hub import Hub


def build_service_account(hub: Hub, version: str) -> Manifest:
    """Return the ServiceAccount of the hub's pods."""
    manifest = build_manifest("v1", "ServiceAccount", hub, hub.name, version)
    return {**manifest, "automountServiceAccountToken": False}
