"""Steps tell a person how they go, and why one failed."""

import io
import re
import sys

import pytest

from tools.quickstart.steps import Shell, Step, StepFailedError, Terminal, run_steps


@pytest.fixture
def screen():
    return io.StringIO()


@pytest.fixture
def terminal(screen):
    return Terminal(screen)


@pytest.fixture
def shell(tmp_path, terminal):
    with (tmp_path / "log").open("w") as log:
        yield Shell(log, terminal)


def python(code: str) -> tuple[str, str, str]:
    return (sys.executable, "-c", code)


def test_each_step_is_announced_and_timed(tmp_path, terminal, screen):
    steps = [
        Step("First", "first", lambda _: "made"),
        Step("Then", "then", lambda _: None),
    ]

    done = run_steps(steps, tmp_path, "make it", terminal)

    assert done
    lines = screen.getvalue().splitlines()
    assert lines[0] == "[1/2] First"
    assert re.fullmatch(r" +made \(\d+\.\d s\)", lines[1])
    assert lines[2] == "[2/2] Then"
    assert re.fullmatch(r" +done \(\d+\.\d s\)", lines[3])


def test_a_failed_step_says_which_why_where_and_how_to_go_on(
    tmp_path, terminal, screen
):
    def fail(shell: Shell) -> None:
        shell.run(*python("print('no disk'); raise SystemExit(3)"))

    later = []
    steps = [
        Step("Build", "build", fail),
        Step("Use", "use", lambda _: later.append("used")),
    ]

    done = run_steps(steps, tmp_path, "make it", terminal)

    text = screen.getvalue()
    assert not done
    assert later == []
    assert "Failed at: Build" in text
    assert "no disk" in text
    assert f"Log:       {tmp_path / '01-build.log'}" in text
    assert "run `make it` again" in text


def test_the_log_holds_all_that_a_command_said(tmp_path, terminal):
    work = Step("Talk", "talk", lambda s: s.run(*python("print('one'); print('two')")))

    run_steps([work], tmp_path, "make it", terminal)

    log = (tmp_path / "01-talk.log").read_text()
    assert "one\ntwo\n" in log


def test_a_command_that_does_not_end_fails_in_time(shell):
    with pytest.raises(StepFailedError, match="did not end within 0 s"):
        shell.capture(*python("import time; time.sleep(60)"), timeout_seconds=0.2)


def test_a_failed_command_is_quoted_by_its_error_output(shell):
    with pytest.raises(StepFailedError, match="the port is taken"):
        shell.capture(*python("import sys; sys.exit('the port is taken')"))


def test_waiting_ends_with_the_first_answer(shell):
    answers = iter([None, "here"])

    assert shell.until("it", lambda: next(answers), timeout_seconds=600) == "here"


def test_waiting_in_vain_says_for_what(shell):
    with pytest.raises(StepFailedError, match="the moon did not come"):
        shell.until("the moon", lambda: None, timeout_seconds=0)
