"""A declared pipeline on MongoDB."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from fastmcp.tools.base import ToolResult

from mcphub_server.backends.mongodb.backend import MongodbBackend
from mcphub_server.backends.mongodb.extended_json import check_values, read_value
from mcphub_server.config.tools import DeclaredToolConfig, ParameterConfig
from mcphub_server.errors import BadArgument, QueryFailed, Rejected
from mcphub_server.guards.mongodb.parameters import Binding, read_declared
from mcphub_server.tools.context import ToolContext
from mcphub_server.tools.declared.arguments import Values
from mcphub_server.tools.declared.limits import narrow
from mcphub_server.tools.declared.values import find_sample
from mcphub_server.tools.mongodb import results
from mcphub_server.tools.mongodb.pages import PageRequest, read_page
from mcphub_server.tools.paging import Pager, fingerprint


def build_statement(
    backend: MongodbBackend, config: DeclaredToolConfig, context: ToolContext
) -> "MongodbStatement":
    """Check a declared pipeline by its text; raise Rejected if it may do more."""
    return MongodbStatement(backend, config, context)


class MongodbStatement:
    """One pipeline, into which values are put as values."""

    output_schema = results.DOCUMENTS

    def __init__(
        self, backend: MongodbBackend, config: DeclaredToolConfig, context: ToolContext
    ) -> None:
        declared = read_declared(config.statement, backend.config.collections)
        check_names(declared.parameters, {each.name for each in config.parameters})
        self._backend = backend
        self._config = config
        self._context = narrow(context, config)
        self._collection = declared.collection
        self._stages = read_stages(declared.stages)
        self._fingerprint = fingerprint(config.statement)

    async def check(self) -> None:
        """Have the server read the pipeline, and look for its collection."""
        seconds = self._context.limits.statement_timeout_seconds
        samples = {each.name: find_sample(each) for each in self._config.parameters}
        stages = self._bind(samples)

        async def ask() -> None:
            await self._backend.explain(self._collection, stages, seconds)
            found = await self._backend.list_collections(seconds)
            if self._collection not in {str(each["name"]) for each in found}:
                raise QueryFailed(f"There is no collection {self._collection}.")

        await self._context.run(self._backend, ask)

    async def run(self, values: Values) -> ToolResult:
        """Return a page of the pipeline's documents."""
        self._context.note(fingerprint=self._fingerprint)
        pager = Pager(
            self._context, self._config.name, fingerprint(self._fingerprint, values)
        )
        request = PageRequest(
            self._collection, self._bind(values), values.limit, values.cursor
        )
        return await read_page(self._backend, pager, request)

    def _bind(self, values: Mapping[str, object]) -> list[dict[str, Any]]:
        converted = {
            each.name: convert(each, values[each.name])
            for each in self._config.parameters
        }
        check_values(converted)
        bound: list[dict[str, Any]] = Binding(converted).bind(self._stages)
        return bound


def check_names(used: frozenset[str], declared: set[str]) -> None:
    """Refuse parameters that are not those of the statement."""
    if differing := sorted(used ^ declared):
        raise Rejected(
            "mongodb/parameter",
            f"The statement's parameters are not those declared: {differing[0]}.",
            'Declare one parameter for each {"$param": "name"}.',
        )


def read_stages(stages: list[Any]) -> list[Any]:
    """Return the stages with dates, ids and the like as the driver takes them."""
    try:
        read: list[Any] = read_value(stages, "The statement")
    except BadArgument as error:
        advice = "Correct the statement."
        raise Rejected("mongodb/statement", str(error), advice) from None
    return read


def convert(parameter: ParameterConfig, value: object) -> object:
    """Return a value as the driver takes it; a day is its first moment in UTC."""
    if parameter.items is not None and isinstance(value, list):
        return [convert_value(parameter.items.type, item) for item in value]
    return convert_value(parameter.type, value)


def convert_value(kind: str, value: object) -> object:
    """Return one value."""
    if kind == "date":
        return datetime.combine(date.fromisoformat(str(value)), time(), UTC)
    if kind == "timestamp":
        return datetime.fromisoformat(str(value))
    return value
