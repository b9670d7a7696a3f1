"""The Secret keys that a hub's servers read, and their file names."""

from dataclasses import dataclass

from mcphub_operator.spec.hub import Hub


@dataclass(frozen=True, slots=True, order=True)
class SecretRef:
    """A key of a Secret, and its file name in the folder of its backend."""

    backend: str
    secret_name: str
    key: str
    file_name: str


def secret_refs(hub: Hub) -> tuple[SecretRef, ...]:
    """List the references of the enabled backends, in the order of the spec.

    The hub does not serve a disabled backend, so its missing Secret must not block
    the hub.
    """
    return tuple(
        SecretRef(backend.name, *file)
        for backend in hub.spec.backends
        if backend.enabled
        for file in backend.options.secret_files()
    )
