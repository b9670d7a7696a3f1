"""Bounds on a statement's text, checked before any parser recurses into it.

PostgreSQL's parser, the Python tree built from it and the server's own planner all
recurse: an expression of 25,000 terms ends the process. The scanner does not, but it
reads a run of operator signs once for each of them, comments that follow each other
included. And pglast finds each node's position by a walk over all bytes that are not
ASCII. So these are counted first, by one linear pass. It only counts: where it reads a
text otherwise than PostgreSQL would, a bound is off and nothing else.
"""

import re

from pglast.parser import ParseError, scan

from mcphub_server.errors import Rejected
from mcphub_server.guards.sql.dialects import check_dialect

MAX_BYTES = 16_384
MAX_NESTING = 200
MAX_STRUCTURE_TOKENS = 6_000

MAX_OPERATOR_SIGNS = 63
"""The longest name that PostgreSQL gives to anything."""

MAX_COMMENTS = 300
MAX_COMMENT_NESTING = 20
MAX_POSITION_STEPS = 6_000_000
"""Tokens times bytes that are not ASCII; about a tenth of a second."""

_NEXT_PART = r"(?:[ \t\f\v]|--[^\n\r]*+)*+[\n\r](?:\s|--[^\n\r]*+[\n\r])*+'"
"""What joins a string to the one before: it is read like that one."""

_PIECES = re.compile(
    rf"""(?axs)
      [eE]'(?:[^'\\]|\\.|'')*+'?+ (?:{_NEXT_PART}(?:[^'\\]|\\.|'')*+'?+)*+
    | '(?:[^']|'')*+'?+
    | "[^"]*+"?+
    | \$(?P<tag>(?:[A-Za-z_\x80-\U0010ffff][\w\x80-\U0010ffff]*+)?)\$
        .*?(?:\$(?P=tag)\$|\Z)
    | [A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]*+
    | (?P<line>--[^\n\r]*+)
    | (?P<block>/\*)
    | (?P<signs>(?:(?!--|/\*)[-+*/<>=~!@\#%^&|`?])++)
    """
)
"""The scan skips all other characters, digits included: after a number, `$$` begins a
string; within a name it does not. Every letter outside ASCII belongs to a name.
"""

_COMMENT_MARK = re.compile(r"/\*|\*/")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")

_OPENING = frozenset({"ASCII_40", "ASCII_91", "CASE"})
_CLOSING = frozenset({"ASCII_41", "ASCII_93", "END_P"})
_FLAT = frozenset(
    {"ASCII_44", "ICONST", "FCONST", "SCONST", "SQL_COMMENT", "C_COMMENT"}
)


def check_shape(sql: str) -> None:
    """Raise Rejected for a text that is too long, too deep, or not text at all."""
    size = _check_characters(sql)
    # in place of any other letter: the names of tokens stay what they are
    plain = _NOT_ASCII.sub("_", sql)
    for text in {sql, plain}:  # both are scanned, and dollar quotes may differ
        _check_signs(text)
    try:
        names = [token.name for token in scan(plain)]
    except ParseError as error:
        check_dialect(sql)
        raise Rejected(
            "sql/syntax", f"{error.args[0]}.", "Correct the statement."
        ) from None
    _check_nesting(names)
    if len(names) * (size - len(sql)) > MAX_POSITION_STEPS:
        raise Rejected(
            "sql/size",
            f"The statement has {len(names)} words and signs and many letters that are "
            "not ASCII; together that takes too long to read.",
            "Pass long lists of texts in parameters, as = ANY ($1).",
        )


def _check_signs(sql: str) -> None:
    """Bound what the scanner reads again and again."""
    position = comments = 0
    while match := _PIECES.search(sql, position):
        position = match.end()
        if match["block"]:
            position = _skip_comment(sql, match.start())
        if match["block"] or match["line"]:
            comments += 1
        elif match["signs"] and len(match["signs"]) > MAX_OPERATOR_SIGNS:
            raise Rejected(
                "sql/operator",
                f"There are {len(match['signs'])} operator signs in a row.",
                f"Operators have up to {MAX_OPERATOR_SIGNS}; separate them by blanks.",
            )
        if comments > MAX_COMMENTS:
            raise Rejected(
                "sql/comments",
                f"The statement has more than {MAX_COMMENTS} comments.",
                "Leave them out.",
            )


def _skip_comment(sql: str, begin: int) -> int:
    """Return where a comment ends; comments nest in SQL."""
    depth = 0
    for mark in _COMMENT_MARK.finditer(sql, begin):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return mark.end()
        if depth > MAX_COMMENT_NESTING:
            raise Rejected(
                "sql/comments",
                f"Comments nest more than {MAX_COMMENT_NESTING} levels deep.",
                "Leave them out.",
            )
    return len(sql)


def _check_characters(sql: str) -> int:
    """Return how many bytes a text has."""
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
    return size


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
