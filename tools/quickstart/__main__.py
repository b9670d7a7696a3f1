"""`make quickstart`, `make quickstart-down` and `make images`."""

import argparse
import shutil
import sys
import time

from mcphub_cli.client_configs import Target, paste_sheet
from tools.quickstart.calls import Answer, call_tool, show_answer
from tools.quickstart.site import NAMESPACE, Site, default_site
from tools.quickstart.steps import Shell, Step, StepFailedError, Terminal, run_steps
from tools.quickstart.trial import Trial, all_steps

_QUERY = (
    "SELECT c.name, count(*) AS orders FROM customers c JOIN orders o "
    "ON o.customer_id = c.id GROUP BY c.name ORDER BY orders DESC, c.name LIMIT 3"
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="quickstart", description=__doc__)
    parser.add_argument("command", choices=["up", "down", "images"])
    command = parser.parse_args().command
    commands = {"up": _up, "down": _down, "images": _images}
    return 0 if commands[command](Trial(default_site()), Terminal()) else 1


def _up(trial: Trial, terminal: Terminal) -> bool:
    started = time.monotonic()
    steps = [
        *all_steps(trial),
        Step("One call over /sse, one over /mcp", "calls", lambda s: _calls(trial, s)),
        Step("What there is now", "show", lambda s: _show(trial, s)),
    ]
    done = run_steps(steps, trial.site.logs, "make quickstart", terminal)
    if done:
        terminal.line(f"\nAll in {time.monotonic() - started:.0f} s.")
        terminal.line(_closing(trial.site))
    return done


def _down(trial: Trial, terminal: Terminal) -> bool:
    step = Step("Take the cluster down", "down", trial.delete_cluster)
    done = run_steps([step], trial.site.logs, "make quickstart-down", terminal)
    if done:
        shutil.rmtree(trial.site.state)
    return done


def _images(trial: Trial, terminal: Terminal) -> bool:
    steps = trial.cluster_steps()[:2]
    return run_steps(steps, trial.site.logs, "make images", terminal)


def _calls(trial: Trial, shell: Shell) -> str:
    token = trial.token(shell)
    answers = [_call(f"{trial.site.base_url}/{path}", token) for path in ("sse", "mcp")]
    lines = [f"tools: {', '.join(answers[0].tools)}", f"postgres_query: {_QUERY}"]
    lines += [
        f"over /{path}: {show_answer(answer)}"
        for path, answer in zip(("sse", "mcp"), answers, strict=True)
    ]
    return "\n      ".join(lines)


def _call(url: str, token: str) -> Answer:
    try:
        return call_tool(url, token, "postgres_query", {"sql": _QUERY})
    except Exception as error:  # whatever a client raises ends this step
        raise StepFailedError(
            f"a call at {url} failed: {type(error).__name__}: {error}"
        ) from error


def _show(trial: Trial, shell: Shell) -> str:
    table = trial.kubectl(shell, "-n", NAMESPACE, "get", "mcphubs")
    sheet = paste_sheet(Target(trial.site.base_url, trial.token(shell)))
    shown = f"$ kubectl -n {NAMESPACE} get mcphubs\n{table}"
    return f"\n\n{shown}\nConnect a client:\n\n{sheet}\n"


def _closing(site: Site) -> str:
    return (
        f"Look around:  export KUBECONFIG={site.kubeconfig}\n"
        f"              kubectl -n {NAMESPACE} describe mcphub demo\n"
        "Take it away: make quickstart-down"
    )


if __name__ == "__main__":
    sys.exit(main())
