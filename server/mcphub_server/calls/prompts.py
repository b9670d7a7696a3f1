"""Answers `prompts/get`.

FastMCP reports a wrong argument as a fault of the server, and logs it with a trace. It
is the client's, told in a sentence; and a use of a prompt leaves an audit line.
"""

import structlog
from fastmcp import FastMCP
from fastmcp.prompts.base import PromptResult
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, GetPromptRequestParams, GetPromptResult

from mcphub_server.calls.audit import OK, build_origin, build_trace
from mcphub_server.calls.fast_path import CallMiddleware
from mcphub_server.calls.own_requests import through
from mcphub_server.errors import BadArgument
from mcphub_server.tools.prompts.catalog import PromptCatalog

METHOD = "prompts/get"

audit = structlog.get_logger("mcphub.audit")


def serve_prompts(
    mcp: FastMCP, prompts: PromptCatalog, middleware: CallMiddleware
) -> None:
    """Have a server answer with these prompts; FastMCP lists them."""
    answer = through(middleware, METHOD, PromptRequests(prompts).get)
    server = mcp._mcp_server  # noqa: SLF001 -- FastMCP has no other way to it
    server.add_request_handler(METHOD, GetPromptRequestParams, answer)


class PromptRequests:
    """The answers."""

    def __init__(self, prompts: PromptCatalog) -> None:
        self._prompts = prompts

    async def get(self, params: GetPromptRequestParams) -> GetPromptResult:
        """Return a prompt's text, and write an audit line about it."""
        prompt = self._prompts.find(params.name)
        if prompt is None:
            backend = self._prompts.find_closed_backend(params.name)
            outcome = "forbidden" if backend else "unknown_prompt"
            log_use(params.name, backend, outcome)
            raise MCPError(INVALID_PARAMS, f"Unknown prompt: {params.name!r}")
        try:
            text = prompt.fill(params.arguments or {})
        except BadArgument as mistake:
            log_use(prompt.name, prompt.backend, "bad_argument")
            raise MCPError(INVALID_PARAMS, str(mistake)) from None
        log_use(prompt.name, prompt.backend, OK, len(text))
        return PromptResult(text, prompt.description).to_mcp_prompt_result()


def log_use(name: str, backend: str, outcome: str, size_bytes: int = 0) -> None:
    """Write the audit line: who used which prompt; no argument and no value."""
    audit.info(
        "prompt get",
        **build_origin(),
        prompt=name[:128],
        backend=backend,
        bytes=size_bytes,
        outcome=outcome,
        **build_trace(),
    )
