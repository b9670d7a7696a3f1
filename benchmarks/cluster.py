"""A cluster of three nodes with the operator and the trial database, for a bench."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tools.quickstart.steps import Shell, Terminal
from tools.quickstart.trial import Trial


@contextmanager
def making_cluster(trial: Trial, *, keep: bool = False) -> Iterator[Shell]:
    """Make the cluster and install into it; take it down at the end."""
    trial.site.state.mkdir(parents=True, exist_ok=True)
    with (trial.site.state / "shell.log").open("w") as log:
        shell = Shell(log, Terminal(sys.stderr))
        try:
            for step in [*trial.cluster_steps(), *trial.install_steps()[:2]]:
                step.work(shell)
            yield shell
        finally:
            if not keep:
                trial.delete_cluster(shell)
