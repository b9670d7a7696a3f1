"""Read a statement with Neo4j's own grammar, in bounded time.

The grammar comes from neo4j-guard, as do the names of its clauses; what is allowed is
decided here. The fast prediction mode is tried first: it gives the same tree wherever
it succeeds, and the full one needs seconds for a few nested CASE.
"""

from collections.abc import Iterator
from typing import Any

from antlr4 import CommonTokenStream, InputStream, PredictionMode, Token
from antlr4.error.ErrorListener import ErrorListener
from neo4j_guard._parser.Cypher25Lexer import Cypher25Lexer
from neo4j_guard._parser.Cypher25Parser import Cypher25Parser

from mcphub_server.errors import Rejected

MAX_TOKENS = 2_000
MAX_NESTING = 40
MAX_NESTED_CASES = 20
MAX_NESTED_CASES_IN_DOUBT = 6

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


def parse(text: str) -> Any:
    """Return the tree of a statement.

    Raises:
        Rejected: It is no Cypher, or too large or too deep to be read in time.
    """
    try:
        cases = _check_tokens(_read_tokens(text))
        return _parse_twice(text, cases)
    except _SyntaxError as error:
        raise Rejected("cypher/syntax", f"{error}.", "Correct the statement.") from None
    except RecursionError:
        raise _refuse_depth() from None


def _parse_twice(text: str, cases: int) -> Any:
    try:
        return _parse(text, PredictionMode.SLL)
    except _SyntaxError:
        if cases > MAX_NESTED_CASES_IN_DOUBT:
            raise
        return _parse(text, PredictionMode.LL)


def _parse(text: str, mode: int) -> Any:
    lexer = Cypher25Lexer(InputStream(text))
    parser = Cypher25Parser(CommonTokenStream(lexer))
    for recognizer in (lexer, parser):
        recognizer.removeErrorListeners()
        recognizer.addErrorListener(_RaisingListener())
    parser._interp.predictionMode = mode  # noqa: SLF001 - ANTLR's documented way
    return parser.statements()  # type: ignore[no-untyped-call]


def _read_tokens(text: str) -> list[Any]:
    lexer = Cypher25Lexer(InputStream(text))
    lexer.removeErrorListeners()
    lexer.addErrorListener(_RaisingListener())
    tokens = []
    while (token := lexer.nextToken()).type != Token.EOF:
        tokens.append(token)
        if len(tokens) > MAX_TOKENS:
            raise Rejected(
                "cypher/size",
                f"The statement has more than {MAX_TOKENS} words and signs.",
                "Shorten it; pass long lists as parameters.",
            )
    return tokens


def _check_tokens(tokens: list[Any]) -> int:
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
    return most_cases


def _refuse_depth() -> Rejected:
    return Rejected(
        "cypher/nesting",
        f"The statement nests more than {MAX_NESTING} levels deep.",
        "Compute the inner parts in a WITH before.",
    )


def walk(root: Any) -> Iterator[Any]:
    """Yield every node of a tree, in the order of the text."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(getattr(node, "children", None) or ()))
