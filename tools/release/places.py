"""Every place in the repository that names the version, and changing all at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NUMBER = r"\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?"


@dataclass(frozen=True, slots=True)
class Place:
    """A file, and a pattern whose only group is the version."""

    path: str
    pattern: str

    def expression(self) -> re.Pattern[str]:
        """Return the pattern with the version's form filled in."""
        return re.compile(self.pattern.replace("NUMBER", NUMBER), re.MULTILINE)


IMAGE = r"mcphub-(?:server|operator):(NUMBER)"
NEW_TAG = r"newTag: (NUMBER)$"
PLACES = (
    Place("pyproject.toml", r'^version = "(NUMBER)"$'),
    Place("charts/mcphub/Chart.yaml", r"^(?:version|appVersion): (NUMBER)$"),
    Place("Dockerfile.operator", r"^ARG VERSION=(NUMBER)$"),
    Place("Dockerfile.server", r"^ARG VERSION=(NUMBER)$"),
    Place("config/operator/kustomization.yaml", NEW_TAG),
    Place("config/operator/deployment.yaml", IMAGE),
    Place("config/overlays/staging/kustomization.yaml", NEW_TAG),
    Place("config/overlays/staging/kustomization.yaml", IMAGE),
    Place("config/overlays/prod/kustomization.yaml", NEW_TAG),
    Place("config/overlays/prod/kustomization.yaml", IMAGE),
    Place("examples/private-registry.yaml", IMAGE),
    Place("docs/installing.md", IMAGE),
    Place("docs/installing.md", NEW_TAG),
    Place("docs/installing.md", r"mcphub-(NUMBER)\.tgz"),
    Place("docs/configuration.md", IMAGE),
)


def find_disagreements(root: Path, version: str) -> Iterator[str]:
    """Yield a sentence for each place that names another version, or none."""
    for place in PLACES:
        found = place.expression().findall((root / place.path).read_text())
        if not found:
            yield f"{place.path} names no version like {place.pattern}"
        for other in sorted(set(found) - {version}):
            yield f"{place.path} names version {other}, not {version}"


def set_version(root: Path, version: str) -> None:
    """Write the version into every place."""
    for place in PLACES:
        path = root / place.path
        path.write_text(
            place.expression().sub(
                lambda match: match[0].replace(match[1], version), path.read_text()
            )
        )
