"""The part of the configuration that changes while the server runs.

It holds tools, prompts and access rules in a second file beside `hub.yaml`, so a change
restarts no pod. Each tool and prompt is read alone; what is wrong with one is said of
that one. Access rules are read as a whole: a rule that is not understood must not be
left out, because the rest could allow more.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from mcphub_server.config.access import AccessConfig
from mcphub_server.config.load import describe_first_problem
from mcphub_server.config.prompts import PromptConfig
from mcphub_server.config.tools import DeclaredToolConfig
from mcphub_server.errors import ConfigError

FILE_NAME = "live.yaml"

FIELDS = frozenset({"tools", "prompts", "access"})

Model = TypeVar("Model", bound=BaseModel)
Named = TypeVar("Named", DeclaredToolConfig, PromptConfig)


@dataclass(frozen=True, slots=True)
class BadEntry:
    """A declared tool or prompt that this server cannot read, and why."""

    name: str
    problem: str


@dataclass(frozen=True, slots=True)
class LiveConfig:
    """What the file says.

    Attributes:
        tools: The declared tools in their order.
        bad: Those that cannot be read.
        access: The rules; None: every authenticated client may call every tool.
        prompts: The declared prompts in their order.
        bad_prompts: Those that cannot be read.
        digest: Which content this is; empty without a file.
    """

    tools: tuple[DeclaredToolConfig, ...] = ()
    bad: tuple[BadEntry, ...] = ()
    access: AccessConfig | None = None
    prompts: tuple[PromptConfig, ...] = ()
    bad_prompts: tuple[BadEntry, ...] = ()
    digest: str = ""


CLOSED = LiveConfig(access=AccessConfig())
"""What holds before any file could be read: no client may call a tool."""


def load_live(path: Path) -> LiveConfig:
    """Read the file; one that does not exist says nothing.

    Raises:
        ConfigError: It cannot be read, or its access rules do not hold.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return LiveConfig()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path.name} cannot be read: {type(error).__name__}."
        ) from None
    return parse_live(text, path.name)


def parse_live(text: str, source: str = FILE_NAME) -> LiveConfig:
    """Check the content of the file; see `load_live`."""
    try:
        content = yaml.safe_load(text) or {}
    except yaml.YAMLError:
        raise ConfigError(f"{source}: this is not YAML.") from None
    if not isinstance(content, Mapping) or not set(content) <= FIELDS:
        raise ConfigError(
            f"{source}: needs the fields tools, prompts and access, and no other."
        )
    tools, bad = _read_each(DeclaredToolConfig, content.get("tools") or (), "tool")
    prompts, bad_prompts = _read_each(
        PromptConfig, content.get("prompts") or (), "prompt"
    )
    access = _read_access(content.get("access"), source)
    return LiveConfig(tools, bad, access, prompts, bad_prompts, digest_text(text))


def _read_access(access: object, source: str) -> AccessConfig | None:
    if access is None:
        return None
    return _validate(AccessConfig, access, f"{source}: access")


def digest_text(text: str) -> str:
    """Return by what operator and server name a content of the file."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _read_each(
    model: type[Named], entries: Any, what: str
) -> tuple[tuple[Named, ...], tuple[BadEntry, ...]]:
    if not isinstance(entries, list | tuple):
        raise ConfigError(f"{what}s must be a list.")
    found: dict[str, Named] = {}
    bad = []
    for number, entry in enumerate(entries):
        name = _find_name(entry, number)
        try:
            read = _validate(model, entry, f"the {what}")
            if read.name in found:
                raise ConfigError(f"the name is used by another {what}, too.")
            found[read.name] = read
        except ConfigError as error:
            bad.append(BadEntry(name, str(error)))
    return tuple(found.values()), tuple(bad)


def _find_name(entry: object, number: int) -> str:
    name = entry.get("name") if isinstance(entry, Mapping) else None
    return name[:64] if isinstance(name, str) else f"[{number}]"


def _validate(model: type[Model], content: object, where: str) -> Model:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        field, problem = describe_first_problem(error)
        raise ConfigError(f"{where}: {field} {problem}.".replace("  ", " ")) from None
