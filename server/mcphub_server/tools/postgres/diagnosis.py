"""The tools of a PostgreSQL backend with `diagnosis`: what is wrong, and what to do.

All statements on statistics are ours and fixed. They show statements of other sessions,
so the configuration refuses them together with `identity`.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastmcp.tools.base import Tool, ToolResult
from pydantic import BaseModel, Field, WithJsonSchema

from mcphub_server.backends.postgres import diagnosis
from mcphub_server.backends.postgres.backend import PostgresBackend
from mcphub_server.backends.postgres.catalog import parse_table_name
from mcphub_server.backends.postgres.diagnosis import Check
from mcphub_server.backends.postgres.explaining import Explainer, Hypothetical
from mcphub_server.backends.postgres.reading import PostgresReader
from mcphub_server.errors import BadArgument, QueryFailed
from mcphub_server.guards.sql.check import check_sql
from mcphub_server.results.fitting import fit_object
from mcphub_server.results.table import encode_object
from mcphub_server.tools.arguments import LONGEST_WORD
from mcphub_server.tools.building import build_result, build_tool
from mcphub_server.tools.context import ToolContext
from mcphub_server.tools.paging import fingerprint
from mcphub_server.tools.postgres import advice, diagnosis_texts

NOT_LOADED = "55000"
"""The extension is there, but its library is not in shared_preload_libraries."""

NO_HYPOPG = (
    "Indexes that do not exist were not tried: the extension hypopg is not installed "
    "in this database. CREATE EXTENSION hypopg, by an administrator, installs it."
)
NO_STATEMENTS = (
    "The extension pg_stat_statements is not installed in this database. An "
    "administrator adds it to shared_preload_libraries, restarts the server, and runs "
    "CREATE EXTENSION pg_stat_statements."
)
FEW_RIGHTS = (
    "The login of the hub is no member of pg_monitor: texts of other roles' "
    "statements, and some of their sessions, are hidden. "
    "GRANT pg_monitor TO it shows them."
)

MOST_INDEXES = 5
MOST_COLUMNS = 8
USUAL_STATEMENTS = 10
MOST_STATEMENTS = 50


class IndexIdea(BaseModel, extra="forbid"):
    """An index that does not exist."""

    table: Annotated[str, Field(min_length=1, max_length=LONGEST_WORD)]
    columns: Annotated[
        list[Annotated[str, Field(max_length=LONGEST_WORD)]],
        Field(min_length=1, max_length=MOST_COLUMNS),
    ]


Sql = Annotated[
    str,
    Field(
        description="One SELECT without EXPLAIN before it; write values, not $1. It is "
        "planned, and does not run."
    ),
]
Ideas = Annotated[
    list[IndexIdea] | None,
    Field(max_length=MOST_INDEXES),
    # some clients take no references between schemas
    WithJsonSchema(
        {
            "type": "array",
            "maxItems": MOST_INDEXES,
            "items": {
                "type": "object",
                "properties": {
                    "table": {"type": "string", "description": "name or schema.name"},
                    "columns": {
                        "type": "array",
                        "items": {"type": "string"},
                        "maxItems": MOST_COLUMNS,
                        "description": "The index's columns in their order.",
                    },
                },
                "required": ["table", "columns"],
            },
            "description": "Indexes to try that do not exist; needs the extension "
            "hypopg.",
        }
    ),
]
Order = Annotated[
    Literal["total_time", "mean_time", "calls"],
    Field(description="What the worst have most of; total_time if left out."),
]
Number = Annotated[
    int | None,
    Field(ge=1, description=f"How many; {USUAL_STATEMENTS} if left out, 50 at most."),
]
Seconds = Annotated[
    int | None,
    Field(
        ge=0,
        description="How long a transaction must be open to count as long; 60 if left "
        "out.",
    ),
]


def build_diagnosis_tools(backend: PostgresBackend, context: ToolContext) -> list[Tool]:
    """Make the five tools of one backend."""
    tools, name = DiagnosisTools(backend, context), backend.name
    return [
        build_tool(diagnosis_texts.describe_explain(name), tools.explain_query),
        build_tool(diagnosis_texts.describe_indexes(name), tools.index_health),
        build_tool(diagnosis_texts.describe_statements(name), tools.top_statements),
        build_tool(diagnosis_texts.describe_vacuum(name), tools.vacuum_health),
        build_tool(diagnosis_texts.describe_activity(name), tools.activity),
    ]


class DiagnosisTools:
    """What the tools of one backend share."""

    def __init__(self, backend: PostgresBackend, context: ToolContext) -> None:
        self._backend = backend
        self._context = context
        self._reader = PostgresReader(backend, context.limits.statement_timeout_seconds)
        self._explainer = Explainer(self._reader)

    async def explain_query(
        self, sql: Sql, hypothetical_indexes: Ideas = None
    ) -> ToolResult:
        self._context.note(fingerprint=fingerprint(sql))
        statement = await self._context.guards.check(check_sql, sql, 0)
        if statement.kind != "select":
            raise BadArgument("sql takes a SELECT, without EXPLAIN before it.")
        ideas = hypothetical_indexes or []
        body = await self._context.run(
            self._backend, lambda: self._explain(statement, ideas)
        )
        return self._answer(body, ("plan", "advice"), len(body["plan"]))

    async def index_health(self) -> ToolResult:
        return await self._look(diagnosis.INDEX_HEALTH)

    async def vacuum_health(self) -> ToolResult:
        return await self._look(diagnosis.VACUUM_HEALTH)

    async def activity(self, min_seconds: Seconds = None) -> ToolResult:
        seconds = diagnosis.LONG_SECONDS if min_seconds is None else min_seconds
        return await self._look(diagnosis.ACTIVITY, float(seconds))

    async def top_statements(
        self, order_by: Order = "total_time", limit: Number = None
    ) -> ToolResult:
        number = min(limit or USUAL_STATEMENTS, MOST_STATEMENTS)
        body = await self._context.run(
            self._backend, lambda: self._read_statements(order_by, number)
        )
        return self._answer(body, ("statements",), len(body["statements"]))

    async def _explain(
        self, statement: Any, ideas: Sequence[IndexIdea]
    ) -> dict[str, Any]:
        indexes = [await self._find_index(idea) for idea in ideas]
        plan = await self._explainer.explain(statement)
        rows = await self._explainer.count_rows(advice.list_tables(plan))
        body = {
            "plan": advice.describe_plan(plan),
            "total_cost": plan["Total Cost"],
            "indexes": advice.list_indexes(plan),
            "advice": advice.advise(plan, rows),
        }
        if not indexes:
            return body
        hypopg = await self._explainer.find_hypopg()
        if not hypopg:
            return {**body, "note": NO_HYPOPG}
        tried = await self._explainer.explain(statement, indexes, hypopg)
        names = [each.definition for each in indexes]
        return {**body, "hypothetical": advice.compare(plan, tried, names)}

    async def _find_index(self, idea: IndexIdea) -> Hypothetical:
        name = parse_table_name(idea.table)
        index, missing = await self._explainer.find_index(name, idea.columns)
        if missing:
            raise BadArgument(
                f"{index.schema}.{index.table} has no column {missing[0][:63]} that "
                "this hub may read."
            )
        return index

    async def _look(self, checks: Sequence[Check], *arguments: object) -> ToolResult:
        body = await self._context.run(
            self._backend, lambda: self._run(checks, *arguments)
        )
        return self._answer(body, ("findings",), len(body["findings"]))

    async def _run(self, checks: Sequence[Check], *arguments: object) -> dict[str, Any]:
        schemas = list(self._backend.config.schemas)
        findings: list[dict[str, Any]] = []
        for check in checks:
            given = arguments[: check.sql.count("$2") and 1]
            limited = f"{check.sql} LIMIT {diagnosis.MOST_FINDINGS}"
            rows = await self._reader.fetch_own(limited, schemas, *given)
            findings += [
                {
                    "problem": check.problem,
                    "object": row["object"],
                    "detail": row["detail"],
                    "advice": check.advice,
                }
                for row in rows
            ]
        looked = [check.problem for check in checks]
        body = {"findings": findings, "looked_for": looked}
        return body | await self._find_note()

    async def _read_statements(self, order_by: str, number: int) -> dict[str, Any]:
        found = await self._reader.fetch_own(
            diagnosis.FIND_EXTENSION, "pg_stat_statements"
        )
        if not found:
            return {"statements": [], "note": NO_STATEMENTS}
        (row,) = await self._reader.fetch_own(
            "SELECT pg_catalog.current_setting('server_version_num')::int AS number"
        )
        sql = diagnosis.build_top_statements(
            found[0]["schema"], row["number"] // 10_000
        )
        try:
            rows = await self._reader.fetch_own(sql, order_by, number)
        except QueryFailed as failure:
            if failure.code != NOT_LOADED:
                raise
            return {"statements": [], "note": NO_STATEMENTS}
        return {"statements": [dict(row) for row in rows]} | await self._find_note()

    async def _find_note(self) -> dict[str, str]:
        (row,) = await self._reader.fetch_own(diagnosis.FIND_RIGHTS)
        return {} if row["sees_all"] else {"note": FEW_RIGHTS}

    def _answer(
        self, body: dict[str, Any], lists: Sequence[str], rows: int
    ) -> ToolResult:
        fitting = fit_lists(body, lists, self._context.limits.max_result_bytes)
        self._context.note(rows=rows)
        cut = bool(fitting.get("truncated"))
        return build_result(encode_object(fitting, rows, truncated=cut).text)


def fit_lists(
    body: dict[str, Any], lists: Sequence[str], max_bytes: int
) -> dict[str, Any]:
    """Return an answer that fits: lists of texts are short already."""
    objects = [name for name in lists if body[name] and isinstance(body[name][0], dict)]
    return fit_object(body, objects, max_bytes)
