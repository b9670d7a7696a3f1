"""What the guard hands on: a statement that it has read and found harmless."""

from dataclasses import dataclass, field
from typing import Literal

StatementKind = Literal["select", "explain", "show"]


@dataclass(frozen=True, slots=True)
class SqlStatement:
    """One checked statement.

    Attributes:
        kind: What it is; only "select" may be wrapped.
        text: The statement as written, without semicolon and what surrounds it.
        fingerprint: Equal for equal texts; ties a cursor to its statement.
        shape: Equal for statements that differ in constants only; for audit lines.
    """

    kind: StatementKind
    text: str
    fingerprint: str
    shape: str

    @property
    def columns_wrappable(self) -> bool:
        return self.kind == "select"


@dataclass(frozen=True, slots=True)
class UserDefinedNames:
    """Names that the database's users defined, by `user_defined_names.QUERY`.

    Attributes:
        shadows: Functions on the search path that may do anything. One that bears a
            known function's name might be called in its place.
        functions: Such functions in any schema.
        fields: Functions that `row.name` would call, for want of such a column.
        operators: Operators on the search path that may do anything.
    """

    shadows: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()
    operators: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SqlPolicy:
    """What differs from database to database.

    Attributes:
        parameters: How many values come beside the statement: $1 … $n.
        user_defined: Names that users of this database defined.
    """

    parameters: int = 0
    user_defined: UserDefinedNames = field(default_factory=UserDefinedNames)
