"""The Secret keys that a hub's servers read, and their file names."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mcphub_operator import names
from mcphub_operator.spec.hub import Hub


@dataclass(frozen=True, slots=True, order=True)
class SecretRef:
    """A key of a Secret, and its file name in the folder of its backend.

    What is no backend's has a folder whose name no backend can have.
    """

    backend: str
    secret_name: str
    key: str
    file_name: str


def secret_refs(hub: Hub) -> tuple[SecretRef, ...]:
    """List the references of the enabled backends and of the traces, in order.

    The hub does not serve a disabled backend, so its missing Secret must not block
    the hub.
    """
    backends = (
        SecretRef(backend.name, *file)
        for backend in hub.spec.backends
        if backend.enabled
        for file in backend.options.secret_files()
    )
    otlp = hub.spec.observability.otlp
    exporter = (SecretRef(names.OTLP_FOLDER, *file) for file in otlp.secret_files())
    return (*backends, *exporter)


_TOKENS = "tokensSecretRef"


def find_secret_names(spec: Any) -> Iterator[str]:
    """Yield the names of all Secrets that a spec mentions, as the API server has it.

    Of any spec, even one that cannot be parsed or is from another version: what it
    names must not be deleted.
    """
    return (name for _, name in _find_secrets(spec))


def find_login_names(spec: Any) -> Iterator[str]:
    """Yield the names of the Secrets with which a spec logs in anywhere.

    One with clients' tokens may be what the operator makes for another hub.
    """
    return (name for key, name in _find_secrets(spec) if key != _TOKENS)


def _find_secrets(spec: Any) -> Iterator[tuple[str, str]]:
    """Yield the field and the name of each Secret that a spec mentions."""
    if isinstance(spec, list):
        for part in spec:
            yield from _find_secrets(part)
    elif isinstance(spec, Mapping):
        for key, part in spec.items():
            if key.endswith(("SecretRef", "secretRef")) and isinstance(part, Mapping):
                yield key, str(part.get("name") or "")
            elif key == "imagePullSecrets" and isinstance(part, list):
                yield from ((key, str(p.get("name") or "")) for p in part if p)
            else:
                yield from _find_secrets(part)


def find_backend_services(spec: Any, namespace: str) -> Iterator[str]:
    """Yield `name.namespace` of the Services that a spec's hub connects to.

    Those of its backends, of the issuer's keys and of the collector. Of any spec, as
    the API server has it. Names outside the cluster yield nothing.
    """
    parts = spec if isinstance(spec, Mapping) else {}
    for host in _find_hosts([parts.get(key) for key in _CONNECTS]):
        match host.rstrip(".").lower().split("."):
            case [service]:
                yield f"{service}.{namespace}"
            case [service, space] | [service, space, "svc", *_]:
                yield f"{service}.{space}"
        yield from _find_headless(host, namespace)


def _find_headless(host: str, namespace: str) -> Iterator[str]:
    """Yield the headless Service by which a pod of a StatefulSet is reached."""
    match host.rstrip(".").lower().split("."):
        case [_, service]:
            yield f"{service}.{namespace}"
        case [_, service, space] if space != "svc":
            yield f"{service}.{space}"
        case [_, service, space, "svc", *_]:
            yield f"{service}.{space}"


_CONNECTS = ("backends", "auth", "observability")


def _find_hosts(value: Any, key: str = "") -> Iterator[str]:
    if isinstance(value, str) and "://" in value:
        authority = value.partition("://")[2].partition("/")[0].rpartition("@")[2]
        yield from (part.partition(":")[0] for part in authority.split(","))
    elif isinstance(value, str) and key == "host":
        yield value
    elif isinstance(value, list):
        for part in value:
            yield from _find_hosts(part)
    elif isinstance(value, Mapping):
        for name, part in value.items():
            yield from _find_hosts(part, name)
