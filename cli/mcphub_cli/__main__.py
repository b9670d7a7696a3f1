"""The program `kubectl-mcphub`, which kubectl runs as `kubectl mcphub`."""

import sys

from mcphub_cli.commands import app
from mcphub_cli.errors import CliError


def main() -> None:
    """Run one command; a failure is one sentence and an exit code."""
    try:
        app(prog_name="kubectl mcphub")
    except CliError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # `| head` has seen enough
        sys.stderr.close()


if __name__ == "__main__":
    main()
