"""Builds and fetches what tests need before they run: once a machine, with progress.

Each test would do it on its first use too, but there pytest hides the progress, and a
build of some minutes is longer than a test may take.
"""

import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.support.mongodb.installation import install_ferretdb
from tests.support.neo4j.installation import install_neo4j
from tests.support.neo4j.running import find_template
from tests.support.node.clients import install_clients
from tests.support.pgbouncer import PROGRAM as PGBOUNCER
from tests.support.postgres import find_bin_dir
from tests.support.registry import PACKAGES as REGISTRY
from tests.support.system_packages import ensure_packages
from tools.cluster import cli, provider
from tools.cluster.binaries import ensure_binaries
from tools.cluster.errors import ClusterError
from tools.cluster.progress import say


def prepare_builds() -> None:
    """Build Kubernetes, and the images of nodes where this project makes clusters.

    Then FerretDB, whose build takes the processors too.
    """
    if os.geteuid() == 0 and not provider.choose().is_real:
        cli.run(["build"])
    else:
        ensure_binaries()
    install_ferretdb()


def prepare_packages() -> None:
    """Install databases, clients and checkers."""
    find_bin_dir()
    ensure_packages(**{PGBOUNCER: "pgbouncer", "promtool": "prometheus"}, **REGISTRY)
    find_template(install_neo4j())
    install_clients()


def prepare(*parts: Callable[[], None]) -> list[str]:
    """Do all parts side by side; return what went wrong, a sentence each."""
    with ThreadPoolExecutor() as pool:
        running = [pool.submit(part) for part in parts]
    errors = [each.exception() for each in running]
    if unexpected := [e for e in errors if e and not isinstance(e, ClusterError)]:
        raise unexpected[0]
    return [str(error) for error in errors if error]


if __name__ == "__main__":
    # One waits for the processors, the other for the network.
    failures = prepare(prepare_builds, prepare_packages)
    for failure in failures:
        say(f"ERROR: {failure}")
    sys.exit(bool(failures))
