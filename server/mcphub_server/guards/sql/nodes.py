"""The grammar of a reading statement: which node kinds it may consist of.

An allow list: it refuses a construct that a later PostgreSQL adds until it is reviewed
and listed. `WRITING` only serves to say more in a refusal.
"""

READING = frozenset(
    """
    A_ArrayExpr A_Const A_Expr A_Indices A_Indirection A_Star Alias BitString BoolExpr
    Boolean BooleanTest CTECycleClause CTESearchClause CaseExpr CaseWhen CoalesceExpr
    CollateClause ColumnDef ColumnRef CommonTableExpr Float FuncCall GroupingFunc
    GroupingSet Integer JoinExpr JsonAggConstructor JsonArgument JsonArrayAgg
    JsonArrayConstructor JsonArrayQueryConstructor JsonBehavior JsonFormat JsonFuncExpr
    JsonIsPredicate JsonKeyValue JsonObjectAgg JsonObjectConstructor JsonOutput
    JsonParseExpr JsonReturning JsonScalarExpr JsonSerializeExpr JsonTable
    JsonTableColumn JsonTablePathSpec JsonValueExpr MinMaxExpr NamedArgExpr NullTest
    ParamRef RangeFunction RangeSubselect RangeTableFunc RangeTableFuncCol
    RangeTableSample RangeVar ResTarget RowExpr SQLValueFunction SelectStmt SortBy
    String SubLink TypeCast TypeName WindowDef WithClause XmlExpr XmlSerialize
    """.split()
)

WRITING = {
    "DeleteStmt": "DELETE",
    "InsertStmt": "INSERT",
    "MergeStmt": "MERGE",
    "UpdateStmt": "UPDATE",
    "IntoClause": "SELECT INTO",
    "LockingClause": "FOR UPDATE or FOR SHARE",
    "ExecuteStmt": "EXECUTE",
    "CreateTableAsStmt": "CREATE TABLE AS",
    "DeclareCursorStmt": "DECLARE CURSOR",
    "VariableSetStmt": "SET or RESET",
    "TransactionStmt": "BEGIN, COMMIT or another transaction command",
    "CheckPointStmt": "CHECKPOINT",
    "CreateStmt": "CREATE TABLE",
}

SAMPLING_METHODS = frozenset({"bernoulli", "system", "system_rows", "system_time"})

EXPLAIN_OPTIONS = frozenset(
    {
        "buffers",
        "costs",
        "format",
        "generic_plan",
        "memory",
        "settings",
        "summary",
        "verbose",
    }
)
"""What explains without running."""

RUNNING_EXPLAIN_OPTIONS = frozenset({"analyze", "serialize", "timing", "wal"})
"""What runs the statement, or is about a run; each may be off."""


def spell_statement(kind: str) -> str:
    """Return a node kind in the words of SQL: CreateRoleStmt as CREATE ROLE."""
    if kind in WRITING:
        return WRITING[kind]
    letters = kind.removesuffix("Stmt")
    return "".join(f" {c}" if c.isupper() else c for c in letters).strip().upper()
