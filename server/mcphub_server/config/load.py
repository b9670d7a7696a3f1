"""From a YAML file and the environment to a checked `HubConfig`.

Whatever is wrong becomes one sentence that names the field as the administrator
wrote it, so that `kubectl logs` of a pod that does not start is enough to mend it.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from mcphub_server.config.environment import find_overrides, override
from mcphub_server.config.hub import HubConfig
from mcphub_server.config.runtime import RuntimeSettings
from mcphub_server.errors import ConfigError


def load_runtime(overrides: Mapping[str, Any]) -> RuntimeSettings:
    """Read the environment; command-line values go before it."""
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return RuntimeSettings(**given)
    except ValidationError as error:
        field, problem = describe_first_problem(error)
        raise ConfigError(
            f"The environment variable MCPHUB_{field.upper()} {problem}."
        ) from None


def load_hub_config(
    runtime: RuntimeSettings, environ: Mapping[str, str] = MappingProxyType({})
) -> HubConfig:
    """Read and check the hub's file; raise ConfigError with one sentence.

    Args:
        runtime: Where the file is.
        environ: Variables of which some may stand for fields of the file.
    """
    content = read_yaml(runtime.config)
    overrides = find_overrides(environ)
    for name, path in overrides.items():
        content = override(content, path, environ[name])
    fields = {".".join(path): name for name, path in overrides.items()}
    config = parse_hub_config(content, runtime.config.name, fields)
    if not runtime.log_level:
        return config
    logging = {"level": runtime.log_level.lower(), "format": config.logging.format}
    try:
        return config.model_copy(
            update={"logging": type(config.logging).model_validate(logging)}
        )
    except ValidationError as error:
        _, problem = describe_first_problem(error)
        raise ConfigError(
            f"The environment variable MCPHUB_LOG_LEVEL {problem}."
        ) from None


def read_yaml(path: Path) -> object:
    """Return the file's content; an empty file is an empty hub."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        raise ConfigError(
            f"The configuration file {path} does not exist; name one with --config "
            "or MCPHUB_CONFIG."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"The configuration file {path} cannot be read: {type(error).__name__}."
        ) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise ConfigError(f"{path.name}{where}: this is not YAML.") from None


def parse_hub_config(
    content: object, source: str, variables: Mapping[str, str] = MappingProxyType({})
) -> HubConfig:
    """Check what a file says.

    Args:
        content: The file's, with what the environment says in its place.
        source: How errors call the file.
        variables: Which fields come from which variables, for errors.
    """
    if not isinstance(content, Mapping):
        raise ConfigError(f"{source}: needs fields such as backends at its top level.")
    try:
        return HubConfig.model_validate(content)
    except ValidationError as error:
        field, problem = describe_first_problem(error)
        if field in variables:
            name = variables[field]
            raise ConfigError(f"The environment variable {name} {problem}.") from None
        raise ConfigError(f"{source}: {field} {problem}.".replace("  ", " ")) from None


def describe_first_problem(error: ValidationError) -> tuple[str, str]:
    """Return where and what the first problem is, never the value that was given."""
    problem = error.errors(include_url=False, include_input=False)[0]
    path = "".join(
        f"[{step}]" if isinstance(step, int) else f".{step}" for step in problem["loc"]
    ).removeprefix(".")
    match problem["type"]:
        case "extra_forbidden":
            return path, "is not a field that this server knows"
        case "missing":
            return path, "is missing"
        case "value_error":
            return path, str(problem["ctx"]["error"])
        case _:
            message = problem["msg"]
            return path, f"is wrong: {message[0].lower()}{message[1:]}"


def redact(config: BaseModel) -> dict[str, Any]:
    """Return the configuration for `/config`: it holds no secret by construction."""
    return config.model_dump(mode="json", by_alias=True, exclude_none=True)
