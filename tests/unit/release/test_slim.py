"""What the images leave out: by rules that name what is there, and say why."""

import tomllib
from pathlib import Path

import pytest

from tools.project import ROOT
from tools.release.slim import (
    Rule,
    StaleRule,
    apply_rules,
    compile_modules,
    keep_program,
    measure,
    read_rules,
)

RULES = ROOT / "tools" / "release" / "slim.toml"
IMAGES = ("operator", "server")


def rule(**what: tuple[str, ...]) -> Rule:
    return Rule(images=("server",), reason="a test", **what)


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x = 1\n")


def list_files(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def install(site: Path, name: str, *files: str) -> None:
    """Lay out a distribution as pip does."""
    write(site, *files)
    info = site / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    listed = [*files, f"{info.name}/METADATA", f"{info.name}/RECORD"]
    (info / "RECORD").write_text("".join(f"{file},,\n" for file in listed))


def test_every_rule_has_a_reason_and_known_images() -> None:
    rules = tomllib.loads(RULES.read_text())["rule"]

    assert all(each["reason"] and {*each["images"]} <= {*IMAGES} for each in rules)
    assert all(each.get("paths") or each.get("distributions") for each in rules)


@pytest.mark.parametrize("image", IMAGES)
def test_both_images_have_rules(image: str) -> None:
    assert read_rules(RULES.read_text(), image)


def test_a_pattern_removes_files_and_folders_but_what_it_keeps(tmp_path: Path) -> None:
    write(tmp_path, "a/tests/b.py", "a/models/one.py", "a/models/__init__.py")
    models = rule(paths=("a/models/*.py",), keep=("__init__.py",))

    apply_rules(tmp_path, [rule(paths=("**/tests",)), models])

    assert list_files(tmp_path) == {"a/models/__init__.py"}


def test_folders_that_became_empty_are_removed(tmp_path: Path) -> None:
    write(tmp_path, "a/b/c.h", "kept.py")

    apply_rules(tmp_path, [rule(paths=("**/*.h",))])

    assert [path.name for path in tmp_path.iterdir()] == ["kept.py"]


def test_one_rule_may_take_what_another_names(tmp_path: Path) -> None:
    write(tmp_path, "a/b.h", "kept.py")

    apply_rules(tmp_path, [rule(paths=("a",)), rule(paths=("**/*.h",))])

    assert list_files(tmp_path) == {"kept.py"}


def test_a_distribution_goes_with_its_files_and_its_record(tmp_path: Path) -> None:
    install(tmp_path, "jaraco.context", "jaraco/context/__init__.py")
    install(tmp_path, "other", "other.py")

    apply_rules(tmp_path, [rule(distributions=("jaraco-context",))])

    assert {name.partition("/")[0] for name in list_files(tmp_path)} == {
        "other.py",
        "other-1.0.dist-info",
    }


@pytest.mark.parametrize(
    "stale",
    [
        pytest.param(rule(paths=("gone/*.py",)), id="a pattern"),
        pytest.param(rule(distributions=("gone",)), id="a distribution"),
        pytest.param(rule(paths=("*.py",), keep=("a.py",)), id="all is kept"),
    ],
)
def test_a_rule_that_names_nothing_removes_nothing(tmp_path: Path, stale: Rule) -> None:
    write(tmp_path, "a.py", "b.h")

    with pytest.raises(StaleRule, match=r"correct slim\.toml"):
        apply_rules(tmp_path, [rule(paths=("*.h",)), stale])

    assert list_files(tmp_path) == {"a.py", "b.h"}


def test_an_environment_keeps_python_and_one_command(tmp_path: Path) -> None:
    write(tmp_path, "bin/python3", "bin/mcphub-server", "bin/activate", "bin/f2py")
    write(tmp_path, "include/a.h", "share/man/x", "lib/a.py", "pyvenv.cfg")

    keep_program(tmp_path, "mcphub-server")

    assert list_files(tmp_path) == {
        *("bin/python3", "bin/mcphub-server", "lib/a.py", "pyvenv.cfg")
    }


def test_a_module_is_compiled_once_and_never_checked_again(tmp_path: Path) -> None:
    write(tmp_path, "a.py")

    compile_modules(tmp_path)

    (compiled,) = tmp_path.rglob("*.pyc")
    assert compiled.read_bytes()[4:8] == b"\x01\0\0\0"  # PEP 552: hash, unchecked
    assert measure(tmp_path) > compiled.stat().st_size


def test_a_module_that_does_not_compile_ends_the_build(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def")

    with pytest.raises(SyntaxError, match="does not compile"):
        compile_modules(tmp_path)


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_is_slimmed_before_its_final_stage_which_runs_nothing(
    image: str,
) -> None:
    text = (ROOT / f"Dockerfile.{image}").read_text()

    build, final = text.split("FROM ${BASE}\n")

    assert f"/slim/slim.py {image}" in build
    assert "RUN" not in final.split()
