"""The program `kubectl_complete-mcphub`, which kubectl's completion asks.

kubectl gives it the words after `kubectl mcphub`, the last one unfinished, and reads
one candidate a line and then `:` with a directive (4: complete no file names).
https://kubernetes.io/docs/tasks/extend-kubectl/kubectl-plugins/
"""

import sys
from collections.abc import Sequence

from mcphub_cli.cluster import Cluster
from mcphub_cli.errors import CliError
from mcphub_cli.kubectl import Kubectl

COMMANDS = ("status", "tools", "call", "connect", "logs", "doctor")
NO_FILES = ":4"
_KEPT = ("-n", "--namespace", "--context", "--kubeconfig")


def main() -> None:
    """Print the candidates for the words of the command line."""
    sys.stdout.write("\n".join([*complete(sys.argv[1:]), NO_FILES, ""]))


def complete(words: Sequence[str]) -> list[str]:
    """Return what the last word may become: a command, or a hub's name."""
    *before, last = words or [""]
    plain, flags = _split(before)
    if not plain:
        return [each for each in COMMANDS if each.startswith(last)]
    if len(plain) > 1 or last.startswith("-"):
        return []
    try:
        hubs = Cluster(Kubectl(tuple(flags))).list_hubs()
    except CliError:  # completion is silent where the command will speak
        return []
    return [hub.name for hub in hubs if hub.name.startswith(last)]


def _split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return plain words, and the flags that choose a cluster and namespace."""
    plain: list[str] = []
    flags: list[str] = []
    left = iter(words)
    for word in left:
        if word in _KEPT:
            flags += [word, next(left, "")]
        elif word.startswith(tuple(f"{each}=" for each in _KEPT)):
            flags.append(word)
        elif not word.startswith("-"):
            plain.append(word)
    return plain, flags
