"""What every kind of backend declares, beside its own fields and CEL rules.

Everything else in the operator works with these methods and never names a kind.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar, NamedTuple
from urllib.parse import urlsplit

from pydantic import ConfigDict

from mcphub_operator.spec.model import Model, is_empty, rule, rules
from mcphub_operator.spec.strings import (
    Name,
    OptionalSecretKey,
    RequiredName,
    SecretKey,
)

SCHEME_PORTS = {"http": 80, "https": 443}


class Endpoint(NamedTuple):
    """Where a hub's pods connect to; without a port if it cannot be known."""

    host: str
    port: int | None


class SecretFile(NamedTuple):
    """One key of a Secret, and the name of the file that it becomes in the pods."""

    secret_name: str
    key: str
    file_name: str


class BackendKind(Model, ABC):
    """The options of one kind of backend."""

    TOOLS: ClassVar[tuple[str, ...]] = ()
    """Its tools, as they are called behind the name of the backend and `_`."""

    DECLARES: ClassVar[bool] = False
    """Whether declared tools may run on it."""

    NEEDS_API_TOKEN: ClassVar[bool] = False
    """Whether pods get a short-lived token for the API server as the file `token`."""

    def reads_objects_of(self, namespace: str) -> bool:  # noqa: ARG002 - for a subclass
        """Tell whether it reads the cluster's objects in a namespace."""
        return False

    @abstractmethod
    def endpoints(self) -> Iterator[Endpoint]:
        """Yield every address that a backend needs; egress is opened to the ports."""

    @abstractmethod
    def secret_files(self) -> Iterator[SecretFile]:
        """Yield the keys of Secrets that the pods read as files."""


class CredentialsRef(Model):
    """A Secret in the hub's namespace with a user name and a password."""

    name: RequiredName
    """Name of the Secret."""

    username_key: SecretKey = "username"
    """Key of the user name in the Secret."""

    password_key: SecretKey = "password"  # noqa: S105 - the name of a key
    """Key of the password in the Secret."""

    def files(self) -> Iterator[SecretFile]:
        """Yield the files `username` and `password`."""
        yield SecretFile(self.name, self.username_key, "username")
        yield SecretFile(self.name, self.password_key, "password")


class SecretKeyRef(Model):
    """A key of a Secret in the hub's namespace; empty if optional and unused."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                f"{is_empty('self.name')} == {is_empty('self.key')}",
                "needs both name and key: the Secret and the key inside it",
            )
        )
    )

    name: Name = ""
    """Name of the Secret."""

    key: OptionalSecretKey = ""
    """Key inside the Secret."""

    def files(self, file_name: str) -> Iterator[SecretFile]:
        """Yield the file, if a key is referred to."""
        if self.name and self.key:
            yield SecretFile(self.name, self.key, file_name)


def parse_endpoint(url: str, default_port: int | None = None) -> Endpoint:
    """Return where a URL leads to."""
    parts = urlsplit(url)
    port = parts.port or default_port or SCHEME_PORTS.get(parts.scheme)
    return Endpoint(parts.hostname or "", port)
