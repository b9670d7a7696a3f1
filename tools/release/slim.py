"""Removes from an image's environment what its program never imports.

It runs in the build stage of both Dockerfiles, with the Python of the environment and
`slim.toml`, which lists what is removed and why. Only the standard library may be
imported here. Afterwards every module of the program is imported: what is missing ends
the build, and so does a pattern that matches nothing, since a library has changed.
"""

from __future__ import annotations

import argparse
import compileall
import importlib
import pkgutil
import py_compile
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

# What an environment holds for its own activation, and other programs' commands.
KEPT_FOLDERS = frozenset({"bin", "lib", "lib64", "pyvenv.cfg"})
MEBIBYTE = 1024**2


class StaleRule(Exception):
    """A rule of slim.toml names something that is not there."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What is removed from which images, and why nothing needs it."""

    images: tuple[str, ...]
    reason: str
    distributions: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()


def read_rules(text: str, image: str) -> list[Rule]:
    """Return the rules for one image."""
    rules = [_parse(entry) for entry in tomllib.loads(text)["rule"]]
    return [rule for rule in rules if image in rule.images]


def _parse(entry: dict[str, Any]) -> Rule:
    lists = {
        key: tuple(value) for key, value in entry.items() if isinstance(value, list)
    }
    return Rule(reason=entry["reason"], **lists)


def find_paths(site: Path, rule: Rule) -> Iterator[Path]:
    """Yield the files and folders that a rule's patterns match.

    Raises:
        StaleRule: a pattern matches nothing.
    """
    for pattern in rule.paths:
        matched = [
            path
            for path in sorted(site.glob(pattern))
            if not any(path.match(kept) for kept in rule.keep)
        ]
        if not matched:
            raise StaleRule(f"{pattern!r} matches nothing: correct slim.toml")
        yield from matched


def find_files(site: Path, name: str) -> Iterator[Path]:
    """Yield every file that an installed distribution recorded.

    Raises:
        StaleRule: it is not installed.
    """
    found = [d for d in metadata.distributions(path=[str(site)]) if _is(d, name)]
    if not found:
        raise StaleRule(f"distribution {name!r} is not installed: correct slim.toml")
    for file in found[0].files or ():
        yield Path(str(file.locate())).resolve()


def _is(distribution: metadata.Distribution, name: str) -> bool:
    return re.sub(r"[-_.]+", "-", distribution.metadata["Name"]).lower() == name


def remove(path: Path) -> None:
    """Remove a file or a folder; one that an earlier rule took is gone already."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def apply_rules(site: Path, rules: Sequence[Rule]) -> None:
    """Remove what the rules name, then the folders that are empty."""
    # All are found first: one rule must not make another look stale.
    doomed = [path for rule in rules for path in find_paths(site, rule)]
    names = [name for rule in rules for name in rule.distributions]
    doomed += [path for name in names for path in find_files(site, name)]
    for path in doomed:
        remove(path)
    for cache in list(site.rglob("__pycache__")):
        remove(cache)
    for folder in sorted((p for p in site.rglob("*") if p.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()


def keep_program(prefix: Path, program: str) -> None:
    """Remove everything of the environment but Python and one command."""
    for path in prefix.iterdir():
        if path.name not in KEPT_FOLDERS:
            remove(path)
    for command in (prefix / "bin").iterdir():
        if command.name != program and not command.name.startswith("python"):
            remove(command)


def strip_libraries(site: Path) -> None:
    """Remove the symbols that only debuggers and linkers read.

    Not in the folders `*.libs`: auditwheel has patched those libraries, and one that is
    stripped then may not load any more ("ELF load command not page-aligned").
    """
    libraries = [
        path
        for path in site.rglob("*.so*")
        if path.is_file() and not any(p.name.endswith(".libs") for p in path.parents)
    ]
    strip = shutil.which("strip")
    if strip is None:
        raise FileNotFoundError("the program strip is missing: install binutils")
    subprocess.run([strip, "--strip-unneeded", *libraries], check=True)


def compile_modules(site: Path) -> None:
    """Compile each module once: the root file system is read-only at run time.

    Raises:
        SyntaxError: a module does not compile.
    """
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    if not compileall.compile_dir(site, quiet=1, workers=0, invalidation_mode=mode):
        raise SyntaxError("a module does not compile; its name is above")


def import_all(package: str) -> int:
    """Import every module of a package; return how many there are."""
    names = [
        module.name
        for module in pkgutil.walk_packages(
            importlib.import_module(package).__path__, f"{package}."
        )
    ]
    for name in names:
        importlib.import_module(name)
    return len(names)


def measure(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    files = (p for p in folder.rglob("*") if p.is_file() and not p.is_symlink())
    return sum(path.stat().st_size for path in files)


def main(arguments: Sequence[str]) -> int:
    """Slim the environment of the Python that runs this."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image", choices=("operator", "server"))
    image = parser.parse_args(arguments).image
    site = Path(sysconfig.get_path("purelib"))
    prefix = Path(sys.prefix)
    before = measure(prefix)
    text = Path(__file__).with_name("slim.toml").read_text(encoding="utf-8")
    apply_rules(site, read_rules(text, image))
    keep_program(prefix, f"mcphub-{image}")
    strip_libraries(site)
    compile_modules(site)
    count = import_all(f"mcphub_{image}")
    sizes = f"{before / MEBIBYTE:.1f} -> {measure(prefix) / MEBIBYTE:.1f} MiB"
    print(f"mcphub-{image}: {sizes}, {count} modules import")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
