"""The checks that need to know what the users of the statement's database defined.

The guard has found by then what a statement uses by name. Here it is held against the
database's own names, in whichever notation it was written or implied.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from mcphub_server.errors import Rejected
from mcphub_server.guards.sql.meetings import Suspects
from mcphub_server.guards.sql.rules import refuse_field, refuse_operator
from mcphub_server.guards.sql.statement import (
    FieldUse,
    QualifiedName,
    UserDefinedNames,
    Uses,
)

FIND_COLUMNS = """
SELECT u.id, pg_catalog.bool_or(a.attname IS NOT NULL) AS has_column,
       pg_catalog.bool_or(u.relation IS NOT NULL) AS has_relation
FROM (SELECT q.id, q.name, pg_catalog.to_regclass(
        CASE WHEN q.schema IS NULL THEN '' ELSE pg_catalog.quote_ident(q.schema) || '.'
        END || pg_catalog.quote_ident(q.relation)) AS relation
      FROM ROWS FROM (pg_catalog.unnest($1::int[]), pg_catalog.unnest($2::text[]),
        pg_catalog.unnest($3::text[]), pg_catalog.unnest($4::text[]))
        AS q(id, schema, relation, name)) u
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = u.relation AND a.attname = u.name
  AND NOT a.attisdropped
GROUP BY u.id"""


_POPULATING = re.compile("(jsonb?_)?populate_record(set|_valid)?")
"""Functions that turn texts into what a row's columns hold."""

_POPULATING_OPERATOR = "#="

_TYPED_BY_OTHERS = re.compile(
    "array_(append|cat|eq|ge|gt|larger|le|lt|ne|positions?|prepend|remove|replace"
    "|smaller)|array(contained|contains|overlap)|(multi)?range_.*|elem_.*|lag|lead"
    "|width_bucket"
)
"""Functions that turn a constant into what another argument is."""

_TYPED_BY_NAME = frozenset({"pg_input_error_info", "pg_input_is_valid"})


def check_names(uses: Uses, defined: UserDefinedNames) -> list[FieldUse]:
    """Refuse what would run a user's code; return fields that are columns or calls.

    Whether these are columns, `FIND_COLUMNS` asks the database.
    """
    for schema, name in uses.calls:
        if _is_shadowed(schema, name, defined):
            raise _refuse_shadowed(name)
    for schema, symbol in uses.operators:
        if _is_own_operator(schema, symbol, defined):
            raise refuse_operator(symbol)
    _check_types(uses, defined)
    suspicious = [field for field in uses.fields if field.name in defined.fields]
    for field in suspicious:
        if field.owners is None:
            raise refuse_field(field.name)
    return suspicious


def build_questions(fields: Iterable[FieldUse]) -> tuple[list[Any], ...]:
    """Return FIND_COLUMNS' arguments: ids, schemas, relations, columns."""
    rows = [
        (number, owner.schema, owner.name, column)
        for number, (column, group) in enumerate(_list_groups(fields))
        for owner in group
    ]
    return tuple(list(column) for column in zip(*rows, strict=True))


def check_answers(
    fields: Iterable[FieldUse], rows: Iterable[Mapping[str, Any]]
) -> None:
    """Refuse a field that no relation of its group has as a column.

    A relation that does not exist decides nothing: the database refuses it.
    """
    groups = list(_list_groups(fields))
    for row in rows:
        if row["has_relation"] and not row["has_column"]:
            raise refuse_field(groups[row["id"]][0])


def _list_groups(
    fields: Iterable[FieldUse],
) -> Iterator[tuple[str, frozenset[QualifiedName]]]:
    for field in fields:
        for group in field.owners or ():
            yield field.name, group


def _is_shadowed(schema: str | None, name: str, defined: UserDefinedNames) -> bool:
    if schema is None:
        return name in defined.shadows
    return schema != "pg_catalog" and name in defined.functions


def _check_types(uses: Uses, defined: UserDefinedNames) -> None:
    for _, name in (*uses.types, *uses.relations):
        if name in defined.casts:
            raise _refuse_cast(name)
    if defined.checks:
        _check_domains(uses, defined)


def _check_domains(uses: Uses, defined: UserDefinedNames) -> None:
    """Refuse what makes a value of a domain; reading a column checks nothing."""
    calls = {name for _, name in uses.calls}
    for name in sorted(calls & _TYPED_BY_NAME):
        raise _refuse_check(name)
    made = {name for _, name in uses.types}
    if (
        any(map(_POPULATING.fullmatch, calls))
        or any(map(_TYPED_BY_OTHERS.fullmatch, uses.converting))
        or any(symbol == _POPULATING_OPERATOR for _, symbol in uses.operators)
    ):
        made |= {name for _, name in uses.relations}
    for name in sorted(made & defined.checks):
        raise _refuse_check(name)
    read = {name for _, name in uses.relations}
    if read & defined.checks:
        _check_meetings(uses, defined, read)


def _check_meetings(
    uses: Uses, defined: UserDefinedNames, read: AbstractSet[str]
) -> None:
    """Refuse what becomes an array, a range or a row with a checked domain inside."""
    rows = (read & defined.checks) | uses.derived
    suspects = Suspects(
        containers=defined.containers | rows,
        checked=defined.checked_columns | rows,
        is_foreign=bool(read - defined.checks - uses.derived),
    )
    if suspects.has_harmful(uses.meetings):
        raise _refuse_check(min(read & defined.checks))


def _is_own_operator(
    schema: str | None, symbol: str, defined: UserDefinedNames
) -> bool:
    if schema is None:
        return symbol in defined.operators
    return schema != "pg_catalog" and symbol in defined.all_operators


def _refuse_shadowed(name: str) -> Rejected:
    return Rejected(
        "read-only/function",
        f"A user of this database defined a function {name} of their own.",
        f"Write pg_catalog.{name}(…) for PostgreSQL's.",
    )


def _refuse_check(name: str) -> Rejected:
    return Rejected(
        "read-only/cast",
        f"{name} makes, is or contains a value of a domain whose check is a user's"
        " function that may do anything.",
        "Cast columns and constants to the domain's base type; the administrator can"
        " declare that function STABLE or IMMUTABLE.",
    )


def _refuse_cast(name: str) -> Rejected:
    return Rejected(
        "read-only/cast",
        f"{name} is, or has a column of, a type whose cast or order is a user's"
        " function that may do anything.",
        "Read other tables; the administrator can declare that function STABLE or"
        " IMMUTABLE.",
    )
