"""A declared statement on Neo4j."""

from collections.abc import Mapping
from datetime import date, datetime

from fastmcp.tools.base import ToolResult

from mcphub_server.backends.neo4j.backend import Neo4jBackend, Read
from mcphub_server.config.tools import DeclaredToolConfig, ParameterConfig
from mcphub_server.errors import Rejected
from mcphub_server.guards.cypher.check import CypherStatement, check_cypher
from mcphub_server.tools import schemas
from mcphub_server.tools.context import ToolContext
from mcphub_server.tools.declared.arguments import Values
from mcphub_server.tools.declared.limits import narrow
from mcphub_server.tools.declared.values import find_sample
from mcphub_server.tools.neo4j.pages import PageRequest, read_page
from mcphub_server.tools.paging import Pager, fingerprint


def build_statement(
    backend: Neo4jBackend, config: DeclaredToolConfig, context: ToolContext
) -> "Neo4jStatement":
    """Make a declared statement; its guard runs where all Cypher is parsed."""
    return Neo4jStatement(backend, config, context)


class Neo4jStatement:
    """One statement."""

    output_schema = schemas.PAGE

    def __init__(
        self, backend: Neo4jBackend, config: DeclaredToolConfig, context: ToolContext
    ) -> None:
        self._backend = backend
        self._config = config
        self._context = narrow(context, config)
        self._statement: CypherStatement | None = None

    async def check(self) -> None:
        """Have the guard and the planner look at the statement."""
        statement = await self._parse()
        samples = {each.name: find_sample(each) for each in self._config.parameters}
        read = Read(
            statement.text,
            convert(self._config.parameters, samples),
            0,
            1,
            self._context.limits.statement_timeout_seconds,
            self._context.limits.max_result_bytes,
            statement.query_type,
        )
        await self._context.run(self._backend, lambda: self._backend.explain(read))

    async def run(self, values: Values) -> ToolResult:
        """Return a page of the statement's records."""
        statement = await self._parse()
        self._context.note(fingerprint=statement.fingerprint)
        mark = fingerprint(statement.fingerprint, values)
        pager = Pager(self._context, self._config.name, mark)
        request = PageRequest(
            statement,
            convert(self._config.parameters, values),
            values.limit,
            values.cursor,
        )
        return await read_page(self._context, self._backend, pager, request)

    async def _parse(self) -> CypherStatement:
        """Check the text once, in the one thread that parses Cypher."""
        if self._statement is None:
            text = self._config.statement
            statement = await self._context.guards.check_aside(check_cypher, text)
            check_declared(statement, {each.name for each in self._config.parameters})
            self._statement = statement
        return self._statement


def check_declared(statement: CypherStatement, declared: set[str]) -> None:
    """Refuse a plan, and parameters that are not those of the statement."""
    if statement.explain:
        raise Rejected("cypher/declared", "A declared tool needs a statement.", "")
    if differing := sorted(statement.parameters ^ declared):
        raise Rejected(
            "cypher/parameter",
            f"The statement's parameters are not those declared: ${differing[0]}.",
            "Declare one parameter for each $name.",
        )


def convert(
    parameters: tuple[ParameterConfig, ...], values: Mapping[str, object]
) -> dict[str, object]:
    """Return the values as the driver takes them: dates and moments as such."""
    return {
        each.name: convert_value(
            each.items.type if each.items else each.type, values[each.name]
        )
        for each in parameters
    }


def convert_value(kind: str, value: object) -> object:
    """Return one value, or each of a list."""
    if isinstance(value, list):
        return [convert_value(kind, item) for item in value]
    if kind == "date":
        return date.fromisoformat(str(value))
    if kind == "timestamp":
        return datetime.fromisoformat(str(value))
    return value
