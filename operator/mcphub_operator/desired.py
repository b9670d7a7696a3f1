"""What a hub's children should be, as a pure function of what was observed.

What the spec asks for may be held back, and then stays as it is: a pod template whose
Secrets are missing or whose mounts belong to another owner, and one that only a new
operator version wants while other hubs are still rolling. Replicas scale even then.
"""

from collections.abc import Iterator
from typing import Any

from mcphub_operator import names
from mcphub_operator.observed import Observed, OwnSecret
from mcphub_operator.resources.autoscaler import build_autoscaler
from mcphub_operator.resources.children import PREREQUISITES, Desired
from mcphub_operator.resources.config_map import build_config, build_config_map
from mcphub_operator.resources.deployment import (
    Rollout,
    build_deployment,
    build_inputs_hash,
)
from mcphub_operator.resources.disruption_budget import (
    build_disruption_budget,
    find_budget,
)
from mcphub_operator.resources.image import build_version_label
from mcphub_operator.resources.manifest import (
    ChildId,
    Manifest,
    build_hash,
    with_applied_hash,
    without_owner,
)
from mcphub_operator.resources.network_policy import build_network_policy
from mcphub_operator.resources.pod import Revision, build_pod_template
from mcphub_operator.resources.role_binding import (
    build_role_binding,
    reads_own_namespace,
)
from mcphub_operator.resources.routes import build_ingress, build_route
from mcphub_operator.resources.secrets import (
    build_answers,
    build_key_data,
    build_previous_token,
    build_secret,
    build_token_data,
    is_revocation_due,
    is_rotation_due,
    keep_previous_token,
    makes_token,
)
from mcphub_operator.resources.service_account import build_service_account
from mcphub_operator.resources.services import (
    build_client_service,
    build_pods_service,
)


def build_desired(observed: Observed) -> Desired:
    """Return the children of a hub."""
    deployment = ChildId("Deployment", observed.hub.name)
    plain = tuple(_plain_children(observed))
    live = observed.children.get(deployment)
    if is_held_back(observed):
        kept = frozenset({deployment}) if live else frozenset[ChildId]()
        scale = _fixed_replicas(observed) if live else None
        return Desired(_sealed(plain), kept, scale=scale)
    rollout = _build_rollout(observed)
    built = build_deployment(observed.hub, rollout, find_version(observed))
    return Desired(_sealed((*plain, built)), handover=_find_handover(observed))


def is_held_back(observed: Observed) -> bool:
    """Tell whether the pod template must stay as it is for now."""
    return (
        bool(observed.user_secrets.missing)
        or has_unusable_certificate(observed)
        or any(child.kind in PREREQUISITES for child in observed.untouchable)
        or (not observed.upgrade.granted and needs_upgrade(observed))
    )


def has_unusable_certificate(observed: Observed) -> bool:
    """Tell whether new pods would wait for a certificate that servers can use."""
    certificate = observed.user_secrets.certificate
    return certificate is not None and certificate.flaw is not None


def needs_upgrade(observed: Observed) -> bool:
    """Tell whether pods would roll because of the operator and not of the user."""
    live = _live_annotations(observed)
    if names.ANNOTATION_TEMPLATE not in live:
        return False
    same_inputs = live.get(names.ANNOTATION_INPUTS) == _inputs(observed)
    template = build_hash(_template(observed))
    return same_inputs and live[names.ANNOTATION_TEMPLATE] != template


def awaits_handover(observed: Observed) -> bool:
    """Tell whether the operator still holds replicas that are not its own to set."""
    return not is_held_back(observed) and _find_handover(observed) is not None


def awaits_rotation(observed: Observed) -> bool:
    """Tell whether the token has yet to rotate, after the keys have."""
    hub = observed.hub
    token = _own_secret(observed, names.auth_secret(hub.name))
    return makes_token(hub) and is_rotation_due(hub, token.annotations)


def find_image(observed: Observed) -> str:
    """Return the image that the hub runs."""
    return observed.hub.spec.image or observed.platform.server_image


def find_version(observed: Observed) -> str:
    """Return the value of the version label."""
    fallback = observed.platform.operator_version
    return build_version_label(find_image(observed), fallback)


def find_upgrade_mark(observed: Observed) -> str:
    """Return by what a Deployment shows which operator version rolled it."""
    return observed.platform.operator_version


def _sealed(manifests: tuple[Manifest, ...]) -> tuple[Manifest, ...]:
    return tuple(with_applied_hash(manifest) for manifest in manifests)


def _plain_children(observed: Observed) -> Iterator[Manifest]:
    hub, version = observed.hub, find_version(observed)
    yield build_config_map(hub, version, observed.platform.installation)
    for secret in _own_secrets(observed, version):
        is_shared = secret["metadata"]["name"] in observed.shared_secrets
        yield without_owner(secret) if is_shared else secret
    yield build_service_account(hub, version)
    yield build_client_service(hub, version)
    yield build_pods_service(hub, version)
    if hub.spec.autoscaling is not None:
        yield build_autoscaler(hub, hub.spec.autoscaling, version)
    if budget := find_budget(hub):
        yield build_disruption_budget(hub, budget, version)
    if hub.spec.network_policy.enabled:
        namespace = observed.platform.operator_namespace
        yield build_network_policy(hub, version, namespace)
    if reads_own_namespace(hub):
        yield build_role_binding(hub, version)
    if observed.platform.routes:
        yield from _routes(observed, version)


def _routes(observed: Observed, version: str) -> Iterator[Manifest]:
    hub = observed.hub
    if hub.spec.ingress is not None:
        yield build_ingress(hub, hub.spec.ingress, version)
    if hub.spec.route is not None and observed.has_gateway_api:
        live = observed.children.get(ChildId("HTTPRoute", hub.name))
        read = live.read() if live is not None else None
        yield build_route(hub, hub.spec.route, version, read)


def _own_secrets(observed: Observed, version: str) -> Iterator[Manifest]:
    hub, keys = observed.hub, names.keys_secret(observed.hub.name)
    live = _own_secret(observed, keys)
    answers = build_answers(hub, live.annotations)
    yield build_secret(hub, keys, version, _key_data(observed, live), answers)
    if makes_token(hub):
        yield _token_secret(observed, version)


def _key_data(observed: Observed, live: OwnSecret) -> dict[str, bytes]:
    rotate = bool(live.data) and is_rotation_due(observed.hub, live.annotations)
    previous = _previous_token(observed, live)
    return build_key_data(
        live.data, observed.generated, rotate=rotate, previous_token=previous
    )


def _token_secret(observed: Observed, version: str) -> Manifest:
    """Return the Secret of the token, which rotates once the keys have.

    Until then the keys' Secret does not have the previous token.
    """
    hub, name = observed.hub, names.auth_secret(observed.hub.name)
    live = _own_secret(observed, name)
    keys = _own_secret(observed, names.keys_secret(hub.name))
    rotates = not live.data or not is_rotation_due(hub, keys.annotations)
    replace = bool(live.data) and (
        is_revocation_due(hub, live.annotations)
        or (rotates and is_rotation_due(hub, live.annotations))
    )
    data = build_token_data(live.data, observed.generated, replace=replace)
    answers = build_answers(hub, live.annotations, rotates=rotates)
    return build_secret(hub, name, version, data, answers)


def _previous_token(observed: Observed, keys: OwnSecret) -> bytes:
    hub = observed.hub
    token = _own_secret(observed, names.auth_secret(hub.name))
    if not makes_token(hub) or is_revocation_due(hub, keys.annotations):
        return b""
    if all(is_rotation_due(hub, each.annotations) for each in (keys, token)):
        return build_previous_token(token.data, observed.now)
    kept = keys.data.get(names.KEY_PREVIOUS_TOKEN, b"")
    return keep_previous_token(kept, observed.now)


def _own_secret(observed: Observed, name: str) -> OwnSecret:
    """Return a Secret of the operator's as it is; an empty one if it is not there."""
    return observed.own_secrets.get(name) or OwnSecret({})


def _template(observed: Observed) -> dict[str, Any]:
    revision = Revision(
        image=find_image(observed),
        version=find_version(observed),
        config_hash=build_hash(build_config(observed.hub)),
        secrets_hash=observed.user_secrets.hash,
        image_pull_secrets=observed.platform.image_pull_secrets,
    )
    return build_pod_template(observed.hub, revision)


def _inputs(observed: Observed) -> str:
    return build_inputs_hash(observed.hub, observed.user_secrets.hash)


def _build_rollout(observed: Observed) -> Rollout:
    template, inputs = _template(observed), _inputs(observed)
    return Rollout(
        template=template,
        inputs=inputs,
        upgrade=_upgrade_mark(observed, build_hash(template), inputs),
        replicas=_replicas(observed),
    )


def _upgrade_mark(observed: Observed, template_hash: str, inputs: str) -> str:
    live = _live_annotations(observed)
    if live.get(names.ANNOTATION_INPUTS) != inputs:
        return ""
    if live.get(names.ANNOTATION_TEMPLATE, template_hash) != template_hash:
        return find_upgrade_mark(observed)
    return live.get(names.ANNOTATION_UPGRADE, "")


def _fixed_replicas(observed: Observed) -> int | None:
    """Return the hub's own number, unless an autoscaler decides."""
    if observed.hub.spec.autoscaling is not None or observed.foreign_autoscalers:
        return None
    return observed.hub.spec.replicas


def _replicas(observed: Observed) -> int | None:
    autoscaling = observed.hub.spec.autoscaling
    is_new = ChildId("Deployment", observed.hub.name) not in observed.children
    if autoscaling is not None and is_new:
        # Let go of in the next pass: created without a number it would start as 1.
        return autoscaling.min_replicas
    return _fixed_replicas(observed)


def _find_handover(observed: Observed) -> int | None:
    live = observed.children.get(ChildId("Deployment", observed.hub.name))
    if live is None or not live.holds_replicas:
        return None
    if _fixed_replicas(observed) is not None:
        return None
    current = int(live.read()["spec"].get("replicas", 1))
    autoscaling = observed.hub.spec.autoscaling
    if current == 0 and autoscaling is not None:
        # An autoscaler never scales a Deployment that has zero replicas.
        return autoscaling.min_replicas
    return current


def _live_annotations(observed: Observed) -> dict[str, str]:
    live = observed.children.get(ChildId("Deployment", observed.hub.name))
    if live is None:
        return {}
    return live.read()["metadata"].get("annotations") or {}
