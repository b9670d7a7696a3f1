"""Read a statement with Neo4j's own grammar, in bounded time.

The grammar comes from neo4j-guard, as do the names of its clauses; what is allowed is
decided here. The fast prediction mode is tried first: it gives the same tree wherever
it succeeds, and the full one is slow. A budget of steps bounds both together.
"""

from collections.abc import Iterator
from typing import Any

from antlr4 import PredictionMode
from antlr4.error.ErrorListener import ErrorListener
from neo4j_guard._parser.Cypher25Lexer import Cypher25Lexer

from mcphub_server.errors import Rejected
from mcphub_server.guards.cypher.budget import (
    Budget,
    CypherTokens,
    OutOfSteps,
    build_lexer,
    build_parser,
)

MAX_TOKENS = 2_000
MAX_NESTING = 40
MAX_NESTED_CASES = 20

_OPENING = frozenset("([{")
_CLOSING = frozenset(")]}")


class _SyntaxError(Exception):
    """The text is no Cypher; says where and why."""


class _RaisingListener(ErrorListener):  # type: ignore[misc]
    def syntaxError(  # noqa: N802 - ANTLR's name and arguments
        self,
        recognizer: Any,  # noqa: ARG002
        offendingSymbol: Any,  # noqa: ARG002, N803
        line: int,
        column: int,
        msg: str,
        e: Any,  # noqa: ARG002
    ) -> None:
        expected = msg.partition(" expecting ")[0]
        raise _SyntaxError(f"{expected[:200]} (line {line}, column {column + 1})")


def parse(text: str, budget: Budget | None = None) -> Any:
    """Return the tree of a statement.

    Raises:
        Rejected: It is no Cypher, or too large or too deep to be read in time.
    """
    budget = budget or Budget()
    try:
        tokens = _read_tokens(text, budget)
        _check_nesting(tokens.tokens)
        return _parse_twice(tokens, budget)
    except _SyntaxError as error:
        raise _refuse_syntax(error, "Correct the statement.") from None
    except OutOfSteps:
        raise _refuse_effort() from None
    except RecursionError:
        raise _refuse_depth() from None


def _parse_twice(tokens: CypherTokens, budget: Budget) -> Any:
    try:
        return _parse(tokens, PredictionMode.SLL, budget)
    except _SyntaxError as error:
        tokens.seek(0)
        try:
            return _parse(tokens, PredictionMode.LL, budget)
        except OutOfSteps:
            # nearly always the fast mode is right, and it says where
            raise _refuse_syntax(
                error, "Correct the statement; if that part is right, nest less."
            ) from None


def _parse(tokens: CypherTokens, mode: int, budget: Budget) -> Any:
    parser = build_parser(tokens, mode, budget)
    parser.removeErrorListeners()
    parser.addErrorListener(_RaisingListener())
    return parser.statements()  # type: ignore[no-untyped-call]


def _read_tokens(text: str, budget: Budget) -> CypherTokens:
    lexer = build_lexer(text, budget)
    lexer.removeErrorListeners()
    lexer.addErrorListener(_RaisingListener())
    tokens = CypherTokens(lexer, budget)
    if tokens.fetch(MAX_TOKENS + 1) > MAX_TOKENS and not tokens.fetchedEOF:
        raise Rejected(
            "cypher/size",
            f"The statement has more than {MAX_TOKENS} words and signs.",
            "Shorten it; pass long lists as parameters.",
        )
    return tokens


def _check_nesting(tokens: list[Any]) -> None:
    depth = deepest = cases = most_cases = 0
    for token in tokens:
        if token.text in _OPENING:
            depth += 1
            deepest = max(deepest, depth)
        elif token.text in _CLOSING:
            depth -= 1
        elif token.type == Cypher25Lexer.CASE:
            cases += 1
            most_cases = max(most_cases, cases)
        elif token.type == Cypher25Lexer.END:
            cases -= 1
    if deepest > MAX_NESTING or most_cases > MAX_NESTED_CASES:
        raise _refuse_depth()


def _refuse_syntax(error: _SyntaxError, advice: str) -> Rejected:
    return Rejected("cypher/syntax", f"{error}.", advice)


def _refuse_depth() -> Rejected:
    return Rejected(
        "cypher/nesting",
        f"The statement nests more than {MAX_NESTING} levels deep.",
        "Compute the inner parts in a WITH before.",
    )


def _refuse_effort() -> Rejected:
    return Rejected(
        "cypher/effort",
        "The statement nests or repeats too much to be read in time.",
        "Nest less: compute the inner parts in a WITH before. Repeat less: pass long"
        " lists as parameters; any(x IN labels(n) WHERE x IN $list) stands for many |.",
    )


def walk(root: Any) -> Iterator[Any]:
    """Yield every node of a tree, in the order of the text."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(getattr(node, "children", None) or ()))
