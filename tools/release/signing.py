"""Signs images of a registry, and what is said of them, with a key pair of cosign.

The project's own cosign does it: other versions store signatures elsewhere. Nothing
is written to a transparency log.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.cluster.errors import BadInput
from tools.programs.build import ensure_program
from tools.release.registry import RegistryRefused, read_reason, run_against

PASSPHRASE_VARIABLE = "COSIGN_PASSWORD"
LABEL = re.compile(r"-----BEGIN ENCRYPTED (?:SIGSTORE|COSIGN) PRIVATE KEY-----")
OFFLINE = ("--yes", "--tlog-upload=false")
SIGN_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The file of a private key that `cosign generate-key-pair` wrote.

    Attributes:
        path: The file.
        passphrase: What opens it; may be empty.
    """

    path: Path
    passphrase: str = field(repr=False)


def read_key(path: Path, environ: Mapping[str, str]) -> SigningKey:
    """Return the key in a file.

    Raises:
        BadInput: the file does not hold such a key.
    """
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError):
        raise BadInput(
            f"KEY={path} cannot be read: name the file cosign.key that"
            " `cosign generate-key-pair` writes"
        ) from None
    if not LABEL.search(text):
        raise BadInput(
            f"KEY={path} is not a private key as `cosign generate-key-pair` writes it"
        )
    return SigningKey(path, environ.get(PASSPHRASE_VARIABLE, ""))


def check_key(key: SigningKey) -> None:
    """Use a key without signing anything.

    Raises:
        BadInput: it cannot be used.
    """
    if _call(key, ["public-key"]).returncode:
        raise BadInput(
            f"KEY={key.path} does not open with the passphrase in the variable"
            f" {PASSPHRASE_VARIABLE}"
        )


def sign_image(key: SigningKey, image: str) -> None:
    """Sign a list of a registry, named by its digest, and each image in it.

    Raises:
        RegistryRefused: the registry did not take the signatures.
    """
    _require(key, ["sign", "--recursive", *OFFLINE, image], image)


def attest_bill(key: SigningKey, image: str, document: bytes) -> None:
    """Vouch for the bill of materials of an image, named by its digest.

    Raises:
        RegistryRefused: the registry did not take it.
    """
    with tempfile.NamedTemporaryFile(prefix="mcphub-bill-") as file:
        file.write(document)
        file.flush()
        what = ("--type=spdxjson", f"--predicate={file.name}")
        _require(key, ["attest", *what, *OFFLINE, image], image)


def _require(key: SigningKey, words: Sequence[str], image: str) -> None:
    done = _call(key, words, image)
    if done.returncode:
        host = image.partition("/")[0]
        reason = read_reason(done.stderr)
        raise RegistryRefused(f"{host} refused the signature of {image}: {reason}")


def _call(
    key: SigningKey, words: Sequence[str], image: str = ""
) -> subprocess.CompletedProcess[str]:
    command, *rest = words
    return run_against(
        image,
        [ensure_program("cosign"), command, f"--key={key.path}", *rest],
        SIGN_SECONDS,
        # A passphrase that is not in the environment is asked for.
        os.environ | {PASSPHRASE_VARIABLE: key.passphrase},
    )
