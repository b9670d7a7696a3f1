"""All the reading of a pass, into one `Observed`.

Nearly everything comes from the caches that the watches fill. The API server is asked
for Secrets whose version changed, and, before a child is created, whether the hub still
exists: a cache may lag, and a lagging view must not decide a creation. Whether a
child's name is free the API server decides while it writes; only when a name is taken
does the pass take a closer look, at everything and slower.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mcphub_operator.adoption import Adopter, Claim, Owner, judge_claim
from mcphub_operator.cache.autoscalers import ForeignAutoscalerCache
from mcphub_operator.cache.children import ChildCache, build_cached
from mcphub_operator.cache.hubs import HubCache
from mcphub_operator.cache.nodes import NodeCache
from mcphub_operator.cache.optional_kind import OptionalKind
from mcphub_operator.cache.pods import PodCache
from mcphub_operator.client.api import Api, Object
from mcphub_operator.client.concurrency import run_together
from mcphub_operator.client.kinds import BY_NAME, HUB, SECRET, SERVICE
from mcphub_operator.errors import NotFound
from mcphub_operator.node_ports import (
    find_held_port,
    find_wished_port,
    is_exchange,
)
from mcphub_operator.observed import (
    CachedObject,
    HubKey,
    Observed,
    OwnSecret,
    Platform,
    Pod,
    PodReport,
)
from mcphub_operator.reconcile.secrets import SecretReader
from mcphub_operator.reconcile.volume_sources import (
    find_missing_sources,
    find_pull_faults,
)
from mcphub_operator.resources.children import wanted_children
from mcphub_operator.resources.manifest import ChildId
from mcphub_operator.resources.secrets import GeneratedSecrets, is_own_data
from mcphub_operator.spec.hub import Hub
from mcphub_operator.spec.references import (
    find_backend_services,
    find_login_names,
    find_secret_names,
)

Reports = Callable[[str], PodReport | None]
"""Returns the last report of a pod, by its uid."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a pass reads."""

    api: Api
    hubs: HubCache
    children: ChildCache
    pods: PodCache
    nodes: NodeCache
    autoscalers: ForeignAutoscalerCache
    routes: OptionalKind
    secrets: SecretReader
    reports: Reports


@dataclass(frozen=True, slots=True)
class Environment:
    """What a pass cannot compute: the platform, time and chance."""

    platform: Platform
    now: Callable[[], datetime]
    generated: Callable[[], GeneratedSecrets]


class HubGone(Exception):
    """The hub was deleted or recreated after the cache last saw it."""


async def gather(
    sources: Sources,
    environment: Environment,
    hub: Hub,
    status: Mapping[str, Any],
    *,
    ask: bool = False,
) -> Observed:
    """Read everything about a hub.

    Args:
        sources: where to read.
        environment: the platform, time and randomness.
        hub: the hub.
        status: its status before the pass.
        ask: request each Secret, whatever the caches say.
    """
    key = HubKey(hub.namespace, hub.name)
    generated = environment.generated()
    secrets = await sources.secrets.read(hub, generated, ask=ask)
    waiting = sources.pods.of(key)
    missing = await find_missing_sources(sources.api, hub.namespace, waiting)
    defaults = environment.platform.image_pull_secrets
    logins = await find_pull_faults(sources.api, hub, defaults, waiting)
    children = {
        child: live
        for child, live in sources.children.of(key).items()
        if child in wanted_children(hub) or live.owner_uid == hub.uid
    }
    pods = sources.pods.of(key)
    claims = _judge_children(sources, hub, pods, children, secrets.own)
    asked = {pod.uid: sources.reports(pod.uid) for pod in pods}
    return Observed(
        hub=hub,
        platform=environment.platform,
        generated=generated,
        now=environment.now(),
        status=status,
        children={c: live for c, live in children.items() if _is_own(claims[c])},
        foreign=_find(claims, Owner.UNOWNED),
        refusals=_find_refusals(claims),
        stale=_find(claims, Owner.PREVIOUS_OWNER),
        referenced_secrets=_find_referenced(sources, hub, children),
        foreign_autoscalers=sources.autoscalers.of(key),
        hub_autoscalers=sources.autoscalers.of(key, HUB.name),
        shared_secrets=sources.secrets.find_shared(key),
        is_exchanging_ports=_is_exchanging_ports(sources, hub, children),
        user_secrets=secrets.user,
        own_secrets=secrets.own,
        free=frozenset(ChildId(SECRET.name, name) for name in secrets.free),
        pods=pods,
        ended_pod=sources.pods.find_ended(key),
        pods_unchanged_seconds=sources.pods.find_unchanged_seconds(key),
        missing_sources=missing,
        pull_faults=logins,
        reports={uid: report for uid, report in asked.items() if report is not None},
        nodes=sources.nodes.all(),
        has_gateway_api=sources.routes.is_served,
    )


def _judge_children(
    sources: Sources,
    hub: Hub,
    pods: tuple[Pod, ...],
    children: Mapping[ChildId, CachedObject],
    secrets: Mapping[str, OwnSecret],
) -> dict[ChildId, Claim]:
    claims = {child: Claim(Owner.HUB) for child in children}
    doubtful = [c for c, live in children.items() if live.owner_uid != hub.uid]
    if doubtful:
        adopter = build_adopter(sources, hub, pods, secrets)
        judged = ((c, judge_claim(adopter, c, children[c].read())) for c in doubtful)
        claims.update(judged)
    return claims


def build_adopter(
    sources: Sources,
    hub: Hub,
    pods: tuple[Pod, ...],
    own_secrets: Mapping[str, OwnSecret],
) -> Adopter:
    """Return what the adoption of an object depends on."""
    services = (
        service
        for key, spec in sources.hubs.specs()
        for service in find_backend_services(spec, key.namespace)
    )
    logins = (
        name
        for key, spec in sources.hubs.specs()
        if key.namespace == hub.namespace
        for name in find_login_names(spec)
    )
    ready = any(pod.ready and not pod.terminating for pod in pods)
    return Adopter(
        *(hub.name, hub.namespace, hub.uid, ready),
        backend_services=frozenset(services),
        named_secrets=frozenset(logins),
        unlike_own=find_unlike_own(hub.name, own_secrets),
    )


def find_unlike_own(hub: str, secrets: Mapping[str, OwnSecret]) -> frozenset[str]:
    """Return which Secrets of a hub's names hold something that no hub made."""
    return frozenset(
        name
        for name, secret in secrets.items()
        if not is_own_data(hub, name, secret.data)
    )


def _find_referenced(
    sources: Sources, hub: Hub, children: Mapping[ChildId, CachedObject]
) -> frozenset[str]:
    """Return the Secrets that specs name, where one of the hub's may be deleted."""
    if not any(c.kind == SECRET.name for c in children.keys() - wanted_children(hub)):
        return frozenset()
    return frozenset(
        name
        for key, spec in sources.hubs.specs()
        if key.namespace == hub.namespace
        for name in find_secret_names(spec)
    )


def _is_exchanging_ports(
    sources: Sources, hub: Hub, children: Mapping[ChildId, CachedObject]
) -> bool:
    """Look at all hubs' node ports, where this hub asks for another than it holds."""
    live = children.get(ChildId(SERVICE.name, hub.name))
    holds = find_held_port(live.read()) if live is not None else None
    if holds is None or hub.spec.service.node_port in (None, holds):
        return False
    services = sources.children.all_of_kind(SERVICE)
    held = ((key, find_held_port(service.read())) for key, service in services)
    wishes = ((key, find_wished_port(spec)) for key, spec in sources.hubs.specs())
    key = HubKey(hub.namespace, hub.name)
    return is_exchange(key, _drop_none(held), _drop_none(wishes))


def _drop_none(ports: Iterable[tuple[HubKey, int | None]]) -> dict[HubKey, int]:
    return {key: port for key, port in ports if port is not None}


def _is_own(claim: Claim) -> bool:
    return claim.owner is Owner.HUB


def _find(claims: Mapping[ChildId, Claim], owner: Owner) -> tuple[ChildId, ...]:
    return tuple(child for child, claim in claims.items() if claim.owner is owner)


def _find_refusals(claims: Mapping[ChildId, Claim]) -> dict[ChildId, str]:
    return {child: claim.refusal for child, claim in claims.items() if claim.refusal}


async def check_alive(sources: Sources, hub: Hub) -> None:
    """Ask the API server whether the hub still exists.

    Raises:
        HubGone: it was deleted or recreated.
    """
    try:
        found = await sources.api.get_metadata(HUB, hub.namespace, hub.name)
    except NotFound as error:
        raise HubGone from error
    if found["metadata"]["uid"] != hub.uid:
        raise HubGone


async def look_up(
    sources: Sources, observed: Observed, unknown: Iterable[ChildId]
) -> Observed:
    """Ask the API server for children that are missing from the cache."""
    hub = observed.hub
    children = [child for child in unknown if child not in observed.free]
    looks = (_look(sources.api, hub.namespace, child) for child in children)
    answers = dict(zip(children, await run_together(looks), strict=True))
    found = {child: item for child, item in answers.items() if item is not None}
    adopter = build_adopter(sources, hub, observed.pods, observed.own_secrets)
    claims = {c: judge_claim(adopter, c, item) for c, item in found.items()}
    # The cache lags, or a label was removed: the child exists and keeps its replicas.
    there = {c: build_cached(i) for c, i in found.items() if _is_own(claims[c])}
    return replace(
        observed,
        children={**observed.children, **there},
        foreign=(*observed.foreign, *_find(claims, Owner.UNOWNED)),
        refusals={**observed.refusals, **_find_refusals(claims)},
        stale=(*observed.stale, *_find(claims, Owner.PREVIOUS_OWNER)),
        free=observed.free | (answers.keys() - found.keys()),
    )


def keep_looked_up(looked: Observed, now: Observed) -> Observed:
    """Return the later view, with foreign objects that only the look-up found."""
    return replace(
        now,
        foreign=tuple(dict.fromkeys((*now.foreign, *looked.foreign))),
        refusals={**looked.refusals, **now.refusals},
        stale=tuple(dict.fromkeys((*now.stale, *looked.stale))),
    )


async def _look(api: Api, namespace: str, child: ChildId) -> Object | None:
    kind = BY_NAME[child.kind]
    get = api.get_metadata if kind is SECRET else api.get
    try:
        return await get(kind, namespace, child.name)
    except NotFound:
        return None
