r"""Make the text that is checked the text that Neo4j will see.

Neo4j replaces \uXXXX anywhere in a statement before it reads it, so an escape can be
a quote that ends a string. The guard replaces them first, and the statement that was
checked is the one that is sent.
"""

import re

from mcphub_server.errors import Rejected

MAX_BYTES = 16_384

_ESCAPE = re.compile(r"(?<!\\)((?:\\\\)*)\\u+([0-9a-fA-F]{4})")
_AMBIGUOUS = re.compile(r"\\u+[0-9a-fA-F]{4}")
"""What is left of them is escaped itself, which releases of Neo4j read differently."""

# atomic and possessive: a comment that could end later too doubles the ways to try
_PREFIX = re.compile(
    r"^(?>\s+|/\*.*?\*/|//[^\n\r]*[\n\r])*+(EXPLAIN|PROFILE|CYPHER)\b",
    re.IGNORECASE | re.DOTALL,
)


_VERSION = re.compile(r"\s+(?:5|25|4\.[34])(?=\s)")
_OPTION = re.compile(r"\s+([A-Za-z]+)\s*=\s*([A-Za-z_]+)(?=\s)")
_HARMLESS = {
    "runtime": frozenset({"slotted", "pipelined", "interpreted", "legacy"}),
    "planner": frozenset({"cost", "idp", "dp"}),
    "replan": frozenset({"default", "force", "skip"}),
    "expressionengine": frozenset({"default", "interpreted", "compiled"}),
    "operatorengine": frozenset({"default", "interpreted", "compiled"}),
    "interpretedpipesfallback": frozenset(
        {"default", "disabled", "whitelisted_plans_only", "all"}
    ),
    "connectcomponentsplanner": frozenset({"greedy", "idp"}),
    "updatestrategy": frozenset({"default", "eager"}),
    "eageranalyzer": frozenset({"ir", "lp"}),
    "inferschemaparts": frozenset({"off", "most_selective_label"}),
    "statefulshortestplanningmode": frozenset(
        {"into_only", "all_if_possible", "cardinality_heuristic"}
    ),
}


def normalise(cypher: str) -> str:
    """Return the statement without escapes and final semicolon.

    Raises:
        Rejected: It is empty, too long, or has what no statement needs.
    """
    _check_characters(cypher)
    text = _ESCAPE.sub(lambda m: m[1] + chr(int(m[2], 16)), cypher)
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if "\0" in text or _AMBIGUOUS.search(text):
        raise Rejected(
            "cypher/characters",
            "The statement has an escape that could be read in two ways.",
            "Write the character itself in place of \\uXXXX.",
        )
    return text.strip()


def split_prefix(text: str) -> tuple[bool, str]:
    """Return whether EXPLAIN leads, and the statement behind it."""
    explain = False
    while match := _PREFIX.match(text):
        word = match[1].upper()
        if word == "PROFILE" or (word == "EXPLAIN" and explain):
            break
        rest = text[match.end() :]
        text = _skip_options(rest) if word == "CYPHER" else rest
        explain = explain or word == "EXPLAIN"
    if match and match[1].upper() == "PROFILE":
        raise Rejected(
            "cypher/prefix",
            "PROFILE at the beginning is not taken.",
            "Leave it out, or use EXPLAIN for the plan.",
        )
    return explain, text.strip()


def _skip_options(text: str) -> str:
    """Return the text behind CYPHER's version and options, all of them harmless.

    The database's own version and planner are used in their place.
    """
    version = _VERSION.match(text)
    position = version.end() if version else 0
    while option := _OPTION.match(text, position):
        if option[2].lower() not in _HARMLESS.get(option[1].lower(), ()):
            raise Rejected(
                "cypher/prefix",
                f"The option {option[1][:40]}={option[2][:40]} is not taken.",
                "Leave it out.",
            )
        position = option.end()
    return text[position:]


def _check_characters(cypher: str) -> None:
    size = len(cypher.encode(errors="surrogatepass"))
    if size > MAX_BYTES:
        raise Rejected(
            "cypher/size",
            f"The statement has {size} bytes; {MAX_BYTES} are the limit.",
            "Shorten it; pass long lists as parameters.",
        )
    if "\0" in cypher:
        raise Rejected(
            "cypher/characters", "The statement has a NUL character.", "Remove it."
        )
