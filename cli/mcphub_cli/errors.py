"""What can go wrong between a terminal and a hub, each with its exit code.

CliError
├── UsageError      2  the command line is wrong, or does not fit the hub
├── ClusterError    3  kubectl, the API server, or the rights there
└── HubError        3  the hub does not answer, or refuses the client

A hub that is not well, and a tool that reports an error, are results and no errors of
this program; their exit code is 1.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the shell sees."""

    OK = 0
    UNHEALTHY = 1
    USAGE = 2
    UNREACHABLE = 3


class CliError(Exception):
    """One sentence for a person: what failed, on which object, what to do."""

    exit_code = ExitCode.UNREACHABLE


class UsageError(CliError):
    """The command line is wrong, or does not fit the hub."""

    exit_code = ExitCode.USAGE


class ClusterError(CliError):
    """kubectl is missing, or the API server does not answer or refuses."""


class HubError(CliError):
    """The hub does not answer, or refuses the client."""
