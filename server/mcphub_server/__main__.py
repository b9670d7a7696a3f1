"""`mcphub-server`: read the settings, say what is wrong with them, serve.

Arguments and settings are read before FastMCP is imported, which takes a second: a
mistake is reported at once.
"""

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from mcphub_server import event_loop
from mcphub_server.config.hub import HubConfig
from mcphub_server.config.load import load_hub_config, load_runtime
from mcphub_server.config.runtime import RuntimeSettings
from mcphub_server.errors import ConfigError
from mcphub_server.logs import configure_logging
from mcphub_server.version import find_version

NOT_WELL = 1
BAD_SETTING = 2

FASTMCP_ENVIRONMENT = {
    "FASTMCP_ENV_FILE": os.devnull,
    "FASTMCP_LOG_ENABLED": "false",
    "FASTMCP_TELEMETRY_MODE": "propagation_only",
}
"""Read when FastMCP is imported: no settings from a stray .env file, none of its own
log handlers, and no spans, which carry arguments."""


SWITCH_SECONDS = 0.0005
"""How long a guard's thread may keep the interpreter when the event loop wants it. A
call waits for its database a dozen times, and each time for this as well: with Python's
own 5 ms, calls beside long checks took five times as long."""


def build_parser() -> argparse.ArgumentParser:
    """Make the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="mcphub-server",
        description="Serve read-only database tools to MCP clients.",
        epilog="Every option has an environment variable: MCPHUB_CONFIG, MCPHUB_HOST, "
        "MCPHUB_PORT, MCPHUB_MANAGEMENT_PORT, MCPHUB_SECRETS_DIR, MCPHUB_TOKENS_DIR, "
        "MCPHUB_KEYS_DIR, MCPHUB_TLS_DIR, MCPHUB_LOG_LEVEL. Single fields of the file "
        "too, as in MCPHUB_LIMITS__MAX_ROWS.",
    )
    parser.add_argument("--config", type=Path, help="the hub's YAML file")
    parser.add_argument("--host", help="the address to listen on")
    parser.add_argument("--port", type=int, help="the port for MCP clients")
    parser.add_argument(
        "--management-port", type=int, help="the port of /status, /metrics and probes"
    )
    parser.add_argument("--secrets-dir", type=Path, help="<backend>/password and so on")
    parser.add_argument("--tokens-dir", type=Path, help="one file per client")
    parser.add_argument("--keys-dir", type=Path, help="the keys that replicas share")
    parser.add_argument("--tls-dir", type=Path, help="tls.crt and tls.key")
    parser.add_argument("--log-level", help="debug, info, warning or error")
    parser.add_argument(
        "--check",
        action="store_true",
        help="try the configuration, every backend and the collector of traces, print "
        "a table and exit: "
        "0 if all is well, 1 if not, 2 for a bad setting",
    )
    parser.add_argument("--version", action="version", version=find_version())
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    options = vars(build_parser().parse_args(arguments))
    checking = options.pop("check")
    try:
        runtime = load_runtime(options)
        config = load_hub_config(runtime, os.environ)
        configure_logging(config.logging, runtime.origin)
        prepare_fastmcp()
        if checking:
            sys.exit(event_loop.run(check(config, runtime)))
        event_loop.run(start(config, runtime))
    except ConfigError as error:
        print(f"mcphub-server: {error}", file=sys.stderr)
        sys.exit(BAD_SETTING)


def prepare_fastmcp() -> None:
    """Set what FastMCP reads while it is imported."""
    for name, value in FASTMCP_ENVIRONMENT.items():
        os.environ.setdefault(name, value)


async def start(config: HubConfig, runtime: RuntimeSettings) -> None:
    """Build the hub and serve it.

    What is made until then stays, half a million objects: the collector would look
    at them again and again, a sixth of the start and a twentieth of each call.
    """
    gc.disable()
    sys.setswitchinterval(SWITCH_SECONDS)
    from mcphub_server.app import build_hub  # noqa: PLC0415
    from mcphub_server.lifespan import serve  # noqa: PLC0415
    from mcphub_server.logs import silence_own_handlers  # noqa: PLC0415

    silence_own_handlers()
    hub = build_hub(config, runtime)
    gc.freeze()
    gc.enable()
    await serve(hub)


async def check(config: HubConfig, runtime: RuntimeSettings) -> int:
    """Print what was found, and return the exit code."""
    from mcphub_server import preflight  # noqa: PLC0415

    findings = await preflight.check(config, runtime)
    print(preflight.render(findings))
    return 0 if all(finding.is_good for finding in findings) else NOT_WELL


if __name__ == "__main__":
    main()
