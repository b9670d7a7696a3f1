"""A declared statement on PostgreSQL."""

from fastmcp.tools.base import ToolResult

from mcphub_server.backends.postgres.backend import PostgresBackend
from mcphub_server.backends.postgres.reading import PostgresReader
from mcphub_server.config.tools import DeclaredToolConfig, ParameterConfig
from mcphub_server.guards.sql.placeholders import check_declared
from mcphub_server.guards.sql.statement import Grants, QualifiedName
from mcphub_server.tools import schemas
from mcphub_server.tools.context import ToolContext
from mcphub_server.tools.declared.arguments import Values
from mcphub_server.tools.declared.limits import narrow
from mcphub_server.tools.postgres.pages import PageRequest, read_page

SQL_TYPES = {
    "string": "pg_catalog.text",
    "integer": "pg_catalog.int8",
    "number": "pg_catalog.numeric",
    "boolean": "pg_catalog.bool",
    "date": "pg_catalog.date",
    "timestamp": "pg_catalog.timestamptz",
}
"""numeric: it compares exactly with numeric columns, and as float8 with float8."""


def build_statement(
    backend: PostgresBackend, config: DeclaredToolConfig, context: ToolContext
) -> "PostgresStatement":
    """Check a declared statement by its text; raise Rejected if it may do more."""
    return PostgresStatement(backend, config, context)


class PostgresStatement:
    """One statement, with its placeholders cast."""

    output_schema = schemas.PAGE

    def __init__(
        self,
        backend: PostgresBackend,
        config: DeclaredToolConfig,
        context: ToolContext,
    ) -> None:
        types = [find_sql_type(parameter) for parameter in config.parameters]
        grants = build_grants(backend)
        self._name = config.name
        self._backend = backend
        self._count = len(types)
        self._granted = grants.functions
        self._statement = check_declared(config.statement, types, grants)
        self._context = narrow(context, config)
        seconds = self._context.limits.statement_timeout_seconds
        self._reader = PostgresReader(backend, seconds)

    async def check(self) -> None:
        """Have the database analyse the statement."""
        await self._context.run(
            self._backend,
            lambda: self._reader.check(self._statement, self._count, self._granted),
        )

    async def run(self, values: Values) -> ToolResult:
        """Return a page of the statement's rows."""
        request = PageRequest(
            self._name,
            self._statement,
            list(values.values()),
            values.limit,
            values.cursor,
            self._granted,
        )
        return await read_page(self._context, self._reader, request)


def find_sql_type(parameter: ParameterConfig) -> str:
    """Return PostgreSQL's type of a parameter."""
    if parameter.items is not None:
        return f"{SQL_TYPES[parameter.items.type]}[]"
    return SQL_TYPES[parameter.type]


def build_grants(backend: PostgresBackend) -> Grants:
    """Return what declared statements on a backend may use beyond clients' ones."""
    config = backend.config
    names = [name.partition(".") for name in config.allowed_functions]
    settings = config.identity.settings if config.identity else ()
    return Grants(
        frozenset(QualifiedName(schema, name) for schema, _, name in names),
        frozenset(setting.name for setting in settings),
    )
