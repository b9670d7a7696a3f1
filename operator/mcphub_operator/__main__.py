"""`mcphub-operator`: settings from flags and environment, then the operator."""

import asyncio
import os
import sys

from mcphub_operator.errors import InvalidSettings
from mcphub_operator.runtime.logs import configure_logs
from mcphub_operator.runtime.process import run_operator
from mcphub_operator.settings import parse_settings
from mcphub_operator.tracing.factory import has_collector

USAGE_ERROR = 2


def main() -> int:
    """Run the operator; return its exit code."""
    try:
        settings = parse_settings(sys.argv[1:], os.environ)
        configure_logs(settings)
        traces = has_collector(os.environ)
        return asyncio.run(run_operator(settings, traces=traces))
    except InvalidSettings as error:
        sys.stderr.write(f"mcphub-operator: {error}\n")
        return USAGE_ERROR


if __name__ == "__main__":
    sys.exit(main())
