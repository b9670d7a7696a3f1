"""Calls that PostgreSQL cannot stop at their timeout.

A few functions never look at the clock: an XPath that walks the document once for
each node of it, a format that pads to a gigabyte, polygons that are compared point by
point. Their arguments are held to what ordinary use needs. Others reach such sizes by
computing them, so this narrows the way and does not close it; the database server's
own limits do.
"""

import re
from typing import Any

from mcphub_server.errors import Rejected
from mcphub_server.guards.sql.geometry_sizes import SIZED, check_sizes
from mcphub_server.guards.sql.projections import PROJECTING, check_projection

MAX_FORMAT_WIDTH = 9_999
MAX_POLYGON_POINTS = 1_000
MAX_XPATH = 500
MAX_SET = 500
"""Characters to compare each of a text's with; translate and trim look at no clock."""

# Steps down, one walk of all nodes, comparisons in flat predicates, in a function or
# two; no axes, no parents, and in a predicate no walk and no path from the root: each
# of those multiplies the work. Literals are empty by then. A name, or `*` as one, must
# stand before the `/` of a predicate; behind an operator, a path begins at the root.
# Possessive throughout: what does not match says so at once.
_PREDICATE = r"""\[ (?: [^][/]
    | (?: (?<=[\w).]) (?<!\band) (?<!\bor) (?<!\bdiv) (?<!\bmod) | (?<=[\[/(@:]\*) )
      /(?!/) )*+ \]"""
_STEPS = rf"""\.?+ /{{0,2}}+
    (?: [\w:@*.-]++ (?:\(\))?+ (?:{_PREDICATE})*+ /{{0,2}}+ )*+"""
_ARGUMENT = rf"""(?: "" | {_STEPS} ) \s*+"""
_CALL = r"""(?: boolean | ceiling | concat | contains | count | floor | local-name
    | name | normalize-space | not | number | round | starts-with | string
    | string-length | substring | substring-after | substring-before | sum | translate
    )\s*+\(\s*+"""
_PLAIN_PATH = re.compile(
    rf"""(?x) \s*+ (?:{_CALL}){{0,2}}+
    {_ARGUMENT} (?: , \s*+ {_ARGUMENT} )*+ (?: \)\s*+ ){{0,2}}+"""
)
_XPATH_LITERAL = re.compile(r"""'[^']*+'|"[^"]*+\"""")
_XPATH_FUNCTIONS = frozenset({"xpath", "xpath_exists", "xmlexists"})
_OUTLINES = frozenset({"polygon", "path"})
_SHAPES = _OUTLINES | {"box", "circle"}
_BY_SET = frozenset({"btrim", "ltrim", "rtrim", "translate"})
_JOINING = frozenset({"concat", "concat_ws"})
_SHORTENING = frozenset(
    """
    btrim chr initcap left lower ltrim nullif quote_literal reverse right rtrim
    split_part substr substring translate unaccent upper
    """.split()
)
"""Functions whose result is hardly longer than their first argument."""

_DUMPS = frozenset({"st_dump", "st_dumppoints", "st_dumprings", "st_dumpsegments"})
DUMP_COLUMNS = ("path", "geom")
"""Of a row of PostGIS's dumps; this path is a list of a few numbers."""
_WIDTH = re.compile(r"%(?:\d+\$)?-?(\d{5,})")


def check_cost(name: str, arguments: Any) -> None:
    """Refuse a call of a known function that may run without end."""
    if name in _XPATH_FUNCTIONS:
        check_xpath(arguments[0] if arguments else None)
    elif name == "format" and arguments:
        _check_format(arguments[0])
    elif name in _OUTLINES and arguments:
        _check_outline(arguments)
    elif name in _BY_SET and len(arguments or ()) > 1:
        _check_set(name, arguments[1])
    elif name in PROJECTING:
        check_projection(arguments)
    elif name in SIZED:
        check_sizes(name, arguments)


def check_xpath(node: Any) -> None:
    """Refuse an XPath that is computed or more than steps to somewhere."""
    text = find_string(node)
    plain = _XPATH_LITERAL.sub('""', text or "")
    if (
        text is None
        or "::" in plain
        or ".." in plain
        or plain.count("//") > 1
        or len(text) > MAX_XPATH
        or not _PLAIN_PATH.fullmatch(plain)
    ):
        raise Rejected(
            "sql/xpath",
            "This XPath may walk the document again for each node of it, which no"
            " timeout stops.",
            "Write a plain string of steps, such as '/order/line[@sku=\"a\"]/text()'.",
        )


def _check_set(name: str, node: Any) -> None:
    """Refuse a set of characters that is computed, or longer than any alphabet."""
    texts = [node]
    length = 0
    while texts:
        part = texts.pop()
        inner = _list_texts(part)
        if inner is None:
            length = MAX_SET + 1
            break
        texts += inner
        length += len(find_string(part) or "") if not inner else 0
    if length > MAX_SET:
        raise Rejected(
            "sql/set",
            f"{name} compares each character with a set that is computed or long, which"
            " no timeout stops.",
            f"Write the characters as a string of at most {MAX_SET}.",
        )


def _list_texts(node: Any) -> list[Any] | None:
    """Return the texts that one is made of without growing; None if it may grow."""
    kind = type(node).__name__
    if kind == "TypeCast":
        return [node.arg]
    if kind == "A_Expr" and node.name[-1].sval == "||":
        return [node.lexpr, node.rexpr]
    if kind == "CoalesceExpr":
        return [*node.args]
    if kind == "CaseExpr":
        results = [each.result for each in node.args]
        return results if node.defresult is None else [*results, node.defresult]
    if kind == "FuncCall":
        name, arguments = node.funcname[-1].sval, [*(node.args or ())]
        return _find_kept_texts(name, arguments)
    return [] if kind in {"A_Const", "ColumnRef", "A_Indirection", "ParamRef"} else None


def _find_kept_texts(name: str, arguments: list[Any]) -> list[Any] | None:
    if name in _JOINING:
        return arguments
    return arguments[:1] if name in _SHORTENING else None


def check_outline_type(type_name: Any, value: Any = None) -> None:
    """Refuse a polygon or path that is read from a text of any length.

    Args:
        type_name: What the text is read as.
        value: The text's expression; None if it comes from a document.
    """
    if _find_type(type_name) in _OUTLINES and not _is_short_outline(value):
        raise _refuse_outline()


def check_unowned_cost(name: str) -> None:
    """Refuse `value.path`, which reads a text as one where there is no such column."""
    if name in _OUTLINES:
        raise _refuse_outline()


def _check_outline(arguments: Any) -> None:
    if len(arguments) == 1:
        if not _is_short_outline(arguments[0]):
            raise _refuse_outline()
        return
    points = getattr(getattr(arguments[0], "val", None), "ival", None)
    if points is None or points > MAX_POLYGON_POINTS:
        raise _refuse_outline()


def _is_short_outline(node: Any) -> bool:
    """Tell whether a polygon or path is a column, a constant, or made of a shape."""
    kind = type(node).__name__
    if kind == "TypeCast":
        if _find_type(node.typeName) in _SHAPES:
            return True  # with a rule of its own
        return _is_short_outline(node.arg)
    if kind == "FuncCall":
        return node.funcname[-1].sval in _SHAPES or is_dump(node)
    return kind in {"A_Const", "ColumnRef", "A_Indirection"}


def is_dump(node: Any) -> bool:
    """Tell whether a node calls one of PostGIS's dumps, whose rows have a path."""
    return type(node).__name__ == "FuncCall" and node.funcname[-1].sval in _DUMPS


def _find_type(type_name: Any) -> str:
    names = getattr(type_name, "names", None) or ()
    return str(names[-1].sval) if names else ""


def _refuse_outline() -> Rejected:
    return Rejected(
        "sql/outline",
        "This polygon or path may have so many points that no timeout stops what"
        " compares it.",
        "Use a column or write its points as a plain string; make a polygon of a"
        f" circle with up to {MAX_POLYGON_POINTS} points.",
    )


def find_string(node: Any) -> str | None:
    """Return the text of a string constant, a cast around it or not."""
    if type(node).__name__ == "TypeCast":
        node = node.arg
    if type(node).__name__ != "A_Const":
        return None
    value = getattr(node.val, "sval", None)
    return value if isinstance(value, str) else None


def _check_format(node: Any) -> None:
    for width in _WIDTH.findall(find_string(node) or ""):
        if len(width) > len(str(MAX_FORMAT_WIDTH)):
            raise Rejected(
                "sql/length",
                "format pads to more letters than any answer has.",
                f"Use widths up to {MAX_FORMAT_WIDTH}.",
            )
