"""What can go wrong with a cluster, each told in a sentence that says what to do.

ClusterError
├── BadInput        the command line, the config file or the machine's state is at fault
│   ├── ClusterExists
│   └── ClusterNotFound
├── MissingPart     a program, a right or a kernel feature is not there
├── RegistryFailed  a package registry did not give what is wanted
└── StepFailed      one step of the work broke; carries where its log is
"""

from __future__ import annotations

from pathlib import Path


class ClusterError(Exception):
    """Anything this package reports to the person who called it."""


class BadInput(ClusterError):
    """The request cannot be carried out as it stands."""


class ClusterExists(BadInput):
    """A cluster of that name is there, whole or half-made."""


class ClusterNotFound(BadInput):
    """No cluster of that name is there."""


class MissingPart(ClusterError):
    """The machine lacks something that cannot be made up for."""


class RegistryFailed(ClusterError):
    """A package registry is out of reach, or lacks what is wanted."""


class StepFailed(ClusterError):
    """A step of the work failed: which, why, and where the details are."""

    def __init__(self, step: str, why: str, log: Path | None = None) -> None:
        """Put the three parts into one sentence."""
        where = f" (log: {log})" if log else ""
        super().__init__(f"{step} failed: {why}{where}")
        self.step = step
        self.log = log
