"""The tools of a Neo4j backend: query, list nodes, get relationships."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastmcp.tools.base import Tool, ToolResult
from pydantic import Field, WithJsonSchema

from mcphub_server.backends.neo4j import statements
from mcphub_server.backends.neo4j.backend import Neo4jBackend, Read, Records
from mcphub_server.errors import BadArgument
from mcphub_server.guards.cypher.check import CypherStatement, check_cypher
from mcphub_server.results.driver_values import shorten_numbers
from mcphub_server.tools import schemas
from mcphub_server.tools.arguments import LONGEST_WORD
from mcphub_server.tools.building import ToolDescription, build_tool
from mcphub_server.tools.context import ToolContext
from mcphub_server.tools.neo4j.pages import (
    PageRequest,
    answer_page,
    build_checked_read,
    build_read,
    read_page,
)
from mcphub_server.tools.paging import (
    Cursor,
    Limit,
    Pager,
    check_parameter_values,
    fingerprint,
)

Cypher = Annotated[
    str,
    Field(
        description="One read-only Cypher statement, such as MATCH … RETURN …; write "
        "values as $name and pass them in parameters. Add ORDER BY when you page."
    ),
]
Parameters = Annotated[
    dict[str, Any] | None,
    WithJsonSchema(
        {
            "type": "object",
            # some clients take no object without a property
            "properties": {
                "name": {"type": "string", "description": "The value of $name."}
            },
            "description": 'Values of the statement\'s $names, as {"name": value}: '
            "a property of any type for each.",
        }
    ),
]
Label = Annotated[
    str,
    Field(
        description="A node label, without colon.",
        min_length=1,
        max_length=LONGEST_WORD,
    ),
]
NodeId = Annotated[
    str,
    Field(
        description="The element_id of a node, from another result.",
        min_length=1,
        max_length=LONGEST_WORD,
    ),
]
Direction = Annotated[
    Literal["both", "outgoing", "incoming"],
    Field(description="Which relationships, as seen from the node; both if left out."),
]


def build_tools(backend: Neo4jBackend, context: ToolContext) -> list[Tool]:
    """Make the three tools of one backend."""
    tools = Neo4jTools(backend, context)
    return [
        build_tool(describe_query(backend.name), tools.query),
        build_tool(describe_list_nodes(backend.name), tools.list_nodes),
        build_tool(describe_relationships(backend.name), tools.get_relationships),
    ]


class Neo4jTools:
    """What the tools of one backend share."""

    def __init__(self, backend: Neo4jBackend, context: ToolContext) -> None:
        self._backend = backend
        self._context = context

    async def query(
        self,
        cypher: Cypher,
        parameters: Parameters = None,
        limit: Limit = None,
        cursor: Cursor = None,
    ) -> ToolResult:
        self._context.note(fingerprint=fingerprint(cypher))
        # ANTLR shares what it remembers between parsers: one thread for all of them
        statement = await self._context.guards.check_known_aside(check_cypher, cypher)
        values = parameters or {}
        check_parameters(statement.parameters, values)
        check_parameter_values(values)
        with self._context.guards.charging():
            mark = fingerprint(statement.fingerprint, values)
        self._context.note(fingerprint=statement.fingerprint)
        pager = Pager(self._context, f"{self._backend.name}_query", mark)
        if statement.explain:
            records = await self._explain(statement, values)
            return self._answer(records, pager, 0)
        request = PageRequest(statement, values, limit, cursor)
        return await read_page(self._context, self._backend, pager, request)

    async def list_nodes(
        self, label: Label, limit: Limit = None, cursor: Cursor = None
    ) -> ToolResult:
        text = statements.build_list_nodes(label)
        tool = f"{self._backend.name}_list_nodes"
        pager = Pager(self._context, tool, fingerprint(label))
        offset = pager.find_offset(cursor)
        rows = pager.find_limit(limit)
        records = await self._run(
            self._build_read(text, {"skip": offset, "take": rows + 1}, rows, 0)
        )
        if not records.rows and not offset:
            await self._check_label(label)
        return self._answer(shorten_properties(records), pager, offset)

    async def get_relationships(
        self,
        node_id: NodeId,
        direction: Direction = "both",
        limit: Limit = None,
        cursor: Cursor = None,
    ) -> ToolResult:
        tool = f"{self._backend.name}_get_relationships"
        pager = Pager(self._context, tool, fingerprint(node_id, direction))
        offset = pager.find_offset(cursor)
        rows = pager.find_limit(limit)
        values = {"id": node_id, "skip": offset, "take": rows + 1}
        text = statements.RELATIONSHIPS[direction]
        records = await self._run(self._build_read(text, values, rows, 0))
        if not records.rows and not offset:
            await self._check_node(node_id)
        return self._answer(shorten_properties(records), pager, offset)

    async def _explain(
        self, statement: CypherStatement, values: Mapping[str, object]
    ) -> Records:
        read = build_checked_read(self._context, statement, values, 1, 0)
        return await self._context.run(
            self._backend, lambda: self._backend.explain(read)
        )

    async def _run(self, read: Read) -> Records:
        return await self._context.run(self._backend, lambda: self._backend.read(read))

    def _build_read(
        self, text: str, values: Mapping[str, object], limit: int, offset: int
    ) -> Read:
        return build_read(self._context, text, values, limit, offset)

    async def _check_label(self, label: str) -> None:
        """Tell a model that mistook a label which ones there are."""
        read = self._build_read(statements.LABELS, {}, statements.MOST_LABELS, 0)
        labels = [str(row[0]) for row in (await self._run(read)).rows]
        if label not in labels:
            there = ", ".join(labels) or "none"
            raise BadArgument(f"There is no label {label}. There are: {there}.")

    async def _check_node(self, node_id: str) -> None:
        read = self._build_read(statements.NODE, {"id": node_id}, 1, 0)
        if not (await self._run(read)).rows:
            raise BadArgument(
                "There is no node with this element_id. Take one from the results of "
                f"{self._backend.name}_list_nodes or {self._backend.name}_query."
            )

    def _answer(self, records: Records, pager: Pager, offset: int) -> ToolResult:
        return answer_page(self._context, records, pager, offset)


def shorten_properties(records: Records) -> Records:
    """Return rows in which embeddings among properties are told by their length."""
    rows = [
        [shorten_numbers(cell) if isinstance(cell, dict) else cell for cell in row]
        for row in records.rows
    ]
    return replace(records, rows=rows)


def check_parameters(needed: frozenset[str], values: Mapping[str, object]) -> None:
    """Say which parameters are missing before a database does."""
    if missing := sorted(needed - set(values)):
        raise BadArgument(
            f"The statement needs the parameters {', '.join(missing)}: pass them in "
            "parameters."
        )


def describe_query(name: str) -> ToolDescription:
    """Describe `<b>_query`."""
    return ToolDescription(
        f"{name}_query",
        f"Query {name} with Cypher",
        f"Run one read-only Cypher statement on the Neo4j database {name} and get "
        "columns and rows. Nodes come with element_id, labels and properties, "
        "relationships with the element ids of both ends, temporal values as ISO 8601 "
        "text; a long list of numbers in a node is told by its length, return the "
        "property itself to read it. Clauses and procedures that write, load files or "
        "administer are refused with the rule and a way out. CALL db.labels(), "
        "db.relationshipTypes() and db.schema.visualization() tell what there is. "
        "Results are limited: when truncated is true, pass next_cursor for the "
        "following rows, or aggregate. EXPLAIN before the statement gives its plan.",
        schemas.PAGE,
    )


def describe_list_nodes(name: str) -> ToolDescription:
    """Describe `<b>_list_nodes`."""
    return ToolDescription(
        f"{name}_list_nodes",
        f"List nodes of {name}",
        f"List the nodes of the Neo4j database {name} that have a label: element_id, "
        "labels and properties. Use it to see what such nodes look like; use "
        f"{name}_query to search among them.",
        schemas.PAGE,
    )


def describe_relationships(name: str) -> ToolDescription:
    """Describe `<b>_get_relationships`."""
    return ToolDescription(
        f"{name}_get_relationships",
        f"Get a node's relationships in {name}",
        f"List the relationships of one node of the Neo4j database {name}, with type, "
        "properties and the nodes at both ends. Takes the node's element_id from "
        f"{name}_list_nodes or {name}_query, and a direction as seen from the node.",
        schemas.PAGE,
    )
