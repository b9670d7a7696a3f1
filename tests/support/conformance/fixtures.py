"""Everything that the suite asks for, in one call."""

from fastmcp import FastMCP

from tests.support.conformance.changes import add_changes
from tests.support.conformance.contents import add_contents
from tests.support.conformance.dialogues import add_dialogues
from tests.support.conformance.rounds import add_rounds


def add_fixtures(mcp: FastMCP) -> None:
    """Add the tools, resources and prompts that the conformance suite calls."""
    add_contents(mcp)
    add_dialogues(mcp)
    add_rounds(mcp)
    add_changes(mcp)
