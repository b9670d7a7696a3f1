"""Programs that tests run for real, from the system's packages if missing."""

import os
import shutil

from tools.cluster.errors import MissingPart
from tools.cluster.machine import install


def ensure_packages(**packages: str) -> None:
    """Install the package of each program that is not there: `mvn="maven"`.

    Raises:
        MissingPart: it is not there and cannot be installed here; says what to do.
    """
    missing = {
        package for program, package in packages.items() if not shutil.which(program)
    }
    if not missing:
        return
    names = " ".join(sorted(missing))
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise MissingPart(f"These tests need {names}: install them and try again")
    install(sorted(missing))
