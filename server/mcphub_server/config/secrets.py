"""The secrets of one backend, read from files at every (re)connect.

One file a value: `<secrets>/<backend>/{username,password,apiKey,ca.crt,
embeddingApiKey,token}`. Files are read again each time because Kubernetes swaps them in
place when a Secret changes. pydantic-settings' own `secrets_dir` silently ignores
nested names, hence these few lines.
"""

from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from mcphub_server.errors import ConfigError

NO_TEXT = (
    "The secret file {} is no text in UTF-8; store the value itself, neither encoded "
    "nor compressed."
)


@dataclass(frozen=True, slots=True)
class BackendSecrets:
    """What one backend needs to log in; None where no file exists."""

    username: SecretStr | None = None
    password: SecretStr | None = None
    api_key: SecretStr | None = None
    ca_path: Path | None = None
    embedding_api_key: SecretStr | None = None
    token: SecretStr | None = None


def read_backend_secrets(secrets_dir: Path, backend: str) -> BackendSecrets:
    """Read the files of one backend; raise ConfigError if one is unreadable."""
    folder = secrets_dir / backend
    ca_path = folder / "ca.crt"
    return BackendSecrets(
        username=find_secret(folder / "username"),
        password=find_secret(folder / "password"),
        api_key=find_secret(folder / "apiKey"),
        ca_path=ca_path if ca_path.is_file() else None,
        embedding_api_key=find_secret(folder / "embeddingApiKey"),
        token=find_secret(folder / "token"),
    )


LOGINS = ("username", "password", "apiKey")


def find_odd_secret(secrets_dir: Path, backend: str) -> str:
    """Return what may be wrong with a login that a server refuses; empty for nothing.

    It names the file, and nothing of what is in it.
    """
    for name in LOGINS:
        try:
            secret = find_secret(secrets_dir / backend / name)
        except ConfigError:
            continue  # that is told already
        text = secret.get_secret_value() if secret is not None else "-"
        if not text:
            return f"The secret file {backend}/{name} is empty."
        if text != text.strip():
            return (
                f"The secret file {backend}/{name} begins or ends with white space,"
                " which belongs to the value."
            )
    return ""


def find_secret(path: Path) -> SecretStr | None:
    """Return a file's content without the marks and line ends that editors add."""
    name = f"{path.parent.name}/{path.name}"
    try:
        text = path.read_bytes().decode("utf-8-sig").rstrip("\r\n")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        problem = type(error).__name__
        raise ConfigError(
            f"The secret file {name} cannot be read: {problem}."
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(NO_TEXT.format(name)) from None
    if "\0" in text:
        raise ConfigError(NO_TEXT.format(name))
    return SecretStr(text)
