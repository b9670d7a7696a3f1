"""Single values of `hub.yaml` by environment variables, for starts without a file.

`limits.maxRows` is `MCPHUB_LIMITS__MAX_ROWS`: the path in capitals, its parts apart by
two underscores, which no other variable of this server has. Lists, the backends among
them, are the file's alone.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from mcphub_server.config.hub import HubConfig
from mcphub_server.errors import ConfigError

PREFIX = "MCPHUB_"
SEPARATOR = "__"

Path = tuple[str, ...]


def list_variables() -> dict[str, Path]:
    """Return each variable with the path of its field, as the file spells it."""
    return dict(_walk(HubConfig, PREFIX, ()))


def _walk(
    model: type[BaseModel], prefix: str, path: Path
) -> Iterator[tuple[str, Path]]:
    for attribute, field in model.model_fields.items():
        name, here = f"{prefix}{attribute.upper()}", (*path, field.alias or attribute)
        kind: Any = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _walk(kind, f"{name}{SEPARATOR}", here)
        elif getattr(kind, "__origin__", None) is not tuple:
            yield name, here


def find_overrides(environ: Mapping[str, str]) -> dict[str, Path]:
    """Return the variables that are set and the fields that they stand for.

    Raises:
        ConfigError: One has this form and stands for none.
    """
    known = list_variables()
    for name in sorted(environ):
        if name.startswith(PREFIX) and SEPARATOR in name and name not in known:
            raise ConfigError(
                f"The environment variable {name} stands for no field of the "
                "configuration file that can be set so."
            )
    return {name: path for name, path in known.items() if name in environ}


def override(content: object, path: Path, value: str) -> object:
    """Return a file's content with one field changed; the original stays.

    What is no mapping where one belongs stays too, for the check to find.
    """
    if not path:
        return value
    if content is not None and not isinstance(content, Mapping):
        return content
    here: dict[str, Any] = dict(content or {})
    first, *rest = path
    return {**here, first: override(here.get(first), tuple(rest), value)}
