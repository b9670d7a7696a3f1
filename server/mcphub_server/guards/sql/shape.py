"""Bounds on a statement's text, checked before any parser recurses into it.

PostgreSQL's parser, the Python tree built from it and the server's own planner all
recurse: an expression of 25,000 terms ends the process. The scanner does not.
"""

from pglast.parser import ParseError, scan

from mcphub_server.errors import Rejected

MAX_BYTES = 16_384
MAX_NESTING = 200
MAX_STRUCTURE_TOKENS = 6_000

_OPENING = frozenset({"ASCII_40", "ASCII_91", "CASE"})
_CLOSING = frozenset({"ASCII_41", "ASCII_93", "END_P"})
_FLAT = frozenset(
    {"ASCII_44", "ICONST", "FCONST", "SCONST", "SQL_COMMENT", "C_COMMENT"}
)


def check_shape(sql: str) -> None:
    """Raise Rejected for a text that is too long, too deep, or not text at all."""
    _check_characters(sql)
    try:
        names = [token.name for token in scan(sql)]
    except ParseError as error:
        raise Rejected(
            "sql/syntax", f"{error.args[0]}.", "Correct the statement."
        ) from None
    _check_nesting(names)


def _check_characters(sql: str) -> None:
    if "\0" in sql:
        raise Rejected(
            "sql/characters", "The statement has a NUL character.", "Remove it."
        )
    try:
        size = len(sql.encode())
    except UnicodeEncodeError:
        raise Rejected(
            "sql/characters",
            "The statement has half of a surrogate pair.",
            "Write the whole character.",
        ) from None
    if size > MAX_BYTES:
        raise Rejected(
            "sql/size",
            f"The statement has {size} bytes; {MAX_BYTES} are the limit.",
            "Shorten it: replace long lists of values by a join or a range.",
        )


def _check_nesting(names: list[str]) -> None:
    depth = deepest = structure = 0
    for name in names:
        if name in _OPENING:
            depth += 1
            deepest = max(deepest, depth)
        elif name in _CLOSING:
            depth -= 1
        structure += name not in _FLAT
    if deepest > MAX_NESTING:
        raise Rejected(
            "sql/nesting",
            f"The statement nests {deepest} levels deep; {MAX_NESTING} are the limit.",
            "Name the inner parts in a WITH clause.",
        )
    if structure > MAX_STRUCTURE_TOKENS:
        raise Rejected(
            "sql/size",
            f"The statement has {structure} words and operators;"
            f" {MAX_STRUCTURE_TOKENS} are the limit.",
            "Split it into several.",
        )
