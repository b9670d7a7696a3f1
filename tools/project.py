"""Where this checkout is: the one place that counts parent folders."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CRD = ROOT / "crds" / "mcphubs.yaml"
DOCS = ROOT / "docs"
EXAMPLES = ROOT / "examples"
