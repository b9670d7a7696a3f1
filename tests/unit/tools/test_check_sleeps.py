"""Fixed sleeps in tests are found, however they are written."""

from pathlib import Path

import pytest

from tools.check_sleeps import find_sleeps, main


@pytest.fixture
def module(tmp_path: Path) -> Path:
    (tmp_path / "other.py").write_text("PAUSE_SECONDS = 0.2\n")
    return tmp_path / "test_it.py"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("time.sleep(0.1)", id="time"),
        pytest.param("await asyncio.sleep(1)", id="asyncio"),
        pytest.param("from time import sleep\nsleep(2)", id="the function itself"),
        pytest.param("from asyncio import sleep as nap\nnap(2)", id="by another name"),
        pytest.param("A = 3\ntime.sleep(A)", id="a constant"),
        pytest.param("A = 3\nB = A / 2\ntime.sleep(B * 2)", id="calculated"),
        pytest.param(
            "from other import PAUSE_SECONDS\ntime.sleep(PAUSE_SECONDS)",
            id="a constant of another module",
        ),
        pytest.param("time.sleep(1)  # noqa: ASYNC251", id="a noqa says no reason"),
        pytest.param("# why\n\ntime.sleep(1)", id="a comment further above"),
    ],
)
def test_a_fixed_sleep_is_found(module: Path, text: str) -> None:
    module.write_text(text)

    (found,) = find_sleeps(module, module.parent)

    assert found.startswith(f"{len(text.splitlines())}: sleeps for ")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("time.sleep(0.05)", id="a short one"),
        pytest.param("await asyncio.sleep(0)", id="a turn of the loop"),
        pytest.param("time.sleep(seconds)", id="what is no constant"),
        pytest.param("time.sleep(1)  # the clock has seconds", id="a comment beside"),
        pytest.param("# the clock has seconds\ntime.sleep(1)", id="a comment above"),
        pytest.param("time.sleep(1)  # noqa: X1 -- a clock of seconds", id="in a noqa"),
        pytest.param("run('time.sleep(60)')", id="a text"),
    ],
)
def test_what_is_no_guess_passes(module: Path, text: str) -> None:
    module.write_text(text)

    assert find_sleeps(module, module.parent) == []


def test_the_program_names_file_and_line(
    module: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    module.write_text("\ntime.sleep(1)\n")

    code = main([str(module.parent)])

    assert code == 1
    assert capsys.readouterr().out.startswith(f"{module}:2: sleeps for 1 s")
