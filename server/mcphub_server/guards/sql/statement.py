"""What the guard passes on: a statement that it has read and found harmless."""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from mcphub_server.guards.sql.meetings import Meeting

StatementKind = Literal["select", "explain", "show"]


class QualifiedName(NamedTuple):
    """A name as the statement writes it."""

    schema: str | None
    name: str


@dataclass(frozen=True, slots=True)
class FieldUse:
    """`value.name`: a column, or else a call of a function with one argument.

    Attributes:
        name: The name behind the dot.
        owners: Which relations have to have such a column: one of each group. None:
            the statement does not say what stands before the dot.
        of_item: What stands before the dot is an item of a FROM clause.
    """

    name: str
    owners: tuple[frozenset[QualifiedName], ...] | None
    of_item: bool = False


@dataclass(frozen=True, slots=True)
class Uses:
    """What a statement uses by name, written or implied.

    Attributes:
        relations: Tables and views, and names of CTEs.
        calls: Functions that are written as calls.
        fields: What may be a call written as a field; not what the statement names.
        columns: Names of columns, without what stands before them.
        operators: Operators, those included that BETWEEN, CASE, IN and USING imply.
        types: Types that a value is cast to or read as.
        converting: Calls that have a constant without a type among their arguments.
        derived: Names that the statement gives to columns and rows.
        meetings: Where values of several types become one.
    """

    relations: frozenset[QualifiedName] = frozenset()
    calls: frozenset[QualifiedName] = frozenset()
    fields: frozenset[FieldUse] = frozenset()
    columns: frozenset[str] = frozenset()
    operators: frozenset[QualifiedName] = frozenset()
    types: frozenset[QualifiedName] = frozenset()
    converting: frozenset[str] = frozenset()
    derived: frozenset[str] = frozenset()
    meetings: tuple[Meeting, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class SqlStatement:
    """One checked statement.

    Attributes:
        kind: What it is; only "select" may be wrapped.
        text: The statement as written, without semicolon and what surrounds it.
        fingerprint: Equal for equal texts; ties a cursor to its statement.
        shape: Equal for statements that differ in constants only; for audit lines.
        uses: What it uses by name, for the checks that need the database.
        closed_columns: Columns of the catalog that it may read and only a hub without
            `schemas` shows, as "pg_class.relpartbound".
    """

    kind: StatementKind
    text: str
    fingerprint: str
    shape: str
    uses: Uses = field(default_factory=Uses)
    closed_columns: frozenset[str] = frozenset()

    @property
    def columns_wrappable(self) -> bool:
        return self.kind == "select"


@dataclass(frozen=True, slots=True)
class Grants:
    """What the author of a declared statement may use, and no client.

    Attributes:
        functions: Functions that an administrator allowed, by schema and name.
        settings: Settings that carry the caller's identity, in lower case.
    """

    functions: frozenset[QualifiedName] = frozenset()
    settings: frozenset[str] = frozenset()


NOTHING = Grants()


@dataclass(frozen=True, slots=True)
class UserDefinedNames:
    """Names of a database that a statement might hit unawares.

    `user_defined_names.QUERY` asks for them.

    Attributes:
        shadows: Functions on the search path that may do anything. One that bears a
            known function's name might be called in its place.
        functions: Such functions in any schema.
        fields: Functions that `value.name` would call, and that are not allowed.
        operators: Operators on the search path that may do anything.
        all_operators: Such operators in any schema.
        casts: Types whose casts or orders may do anything, what contains them, and
            relations with such columns.
        checks: Domains whose checks may do anything, what contains them, and relations
            with such columns.
        checked_columns: Columns of such a domain, or of what contains one.
        containers: Those of them that are arrays, ranges or rows.
    """

    shadows: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()
    operators: frozenset[str] = frozenset()
    all_operators: frozenset[str] = frozenset()
    casts: frozenset[str] = frozenset()
    checks: frozenset[str] = frozenset()
    checked_columns: frozenset[str] = frozenset()
    containers: frozenset[str] = frozenset()
