"""actionlint finds nothing to say about the workflows."""

import subprocess

from tools.programs.build import ensure_program
from tools.project import ROOT


def test_workflows_are_sound() -> None:
    program = ensure_program("actionlint")
    files = sorted((ROOT / ".github" / "workflows").glob("*.yml"))

    done = subprocess.run(
        [program, "-no-color", "-shellcheck=", "-pyflakes=", *files],
        capture_output=True,
        text=True,
        check=False,
    )

    assert files
    assert done.stdout == ""
    assert done.returncode == 0
