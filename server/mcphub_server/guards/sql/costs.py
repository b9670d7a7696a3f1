"""Calls that PostgreSQL cannot stop at their timeout.

A few functions never look at the clock: an XPath that walks the document once for
each node of it, a format that pads to a gigabyte. Their arguments are held to what
ordinary use needs. Others reach such sizes by computing them, so this narrows the way
and does not close it; the database server's own limits do.
"""

import re
from typing import Any

from mcphub_server.errors import Rejected

MAX_FORMAT_WIDTH = 9_999

# Steps down, an attribute or function at the end, comparisons in flat predicates;
# no axes, no parents, no path inside a predicate: each of those multiplies the walk.
# Possessive throughout: what does not match says so at once.
_PLAIN_PATH = re.compile(
    r"""(?x) \s*+ (?:(?:count|string|sum|number|boolean)\s*+\()?+ \s*+
    \.?+ /{0,2}+ (?: [\w:@*.-]++ (?:\(\))?+ (?:\[ [^][/]*+ \])?+ /?+ )*+
    \s*+ \)?+ \s*+"""
)
_XPATH_FUNCTIONS = frozenset({"xpath", "xpath_exists", "xmlexists"})
_WIDTH = re.compile(r"%(?:\d+\$)?-?(\d{5,})")


def check_cost(name: str, arguments: Any) -> None:
    """Refuse a call of a known function that may run for ever."""
    if name in _XPATH_FUNCTIONS:
        check_xpath(arguments[0] if arguments else None)
    elif name == "format" and arguments:
        _check_format(arguments[0])


def check_xpath(node: Any) -> None:
    """Refuse an XPath that is computed or more than steps to somewhere."""
    text = find_string(node)
    if (
        text is None
        or "::" in text
        or ".." in text
        or text.count("//") > 1
        or len(text) > 500  # noqa: PLR2004
        or not _PLAIN_PATH.fullmatch(text)
    ):
        raise Rejected(
            "sql/xpath",
            "This XPath may walk the document again for each node of it, which no"
            " timeout stops.",
            "Write a plain string of steps, such as '/order/line[@sku=\"a\"]/text()'.",
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
