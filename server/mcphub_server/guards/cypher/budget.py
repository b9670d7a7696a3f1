"""ANTLR's lexer and parser, with a budget of steps that ends what never would.

A grammar this rich has statements of 150 bytes whose prediction takes seconds, and no
bound on one construct finds them all. So what the runtime repeats is counted where it
happens: letters, tokens, rules, predictions, and the paths that a prediction follows.
Steps and not seconds: a busy machine refuses nothing that a quiet one takes.

What an earlier statement had predicted is remembered by ANTLR and costs less. It would
remember without end, so beyond a bound all is forgotten.

Counted are leaves of the runtime's calls, so that its recursion grows no deeper.
"""

from typing import Any

from antlr4 import CommonTokenStream, InputStream
from antlr4.atn.LexerATNSimulator import LexerATNSimulator
from antlr4.atn.ParserATNSimulator import ParserATNSimulator
from antlr4.dfa.DFA import DFA
from antlr4.PredictionContext import PredictionContextCache
from neo4j_guard._parser.Cypher25Lexer import Cypher25Lexer
from neo4j_guard._parser.Cypher25Parser import Cypher25Parser

MAX_STEPS = 450_000
"""One is about a microsecond; ordinary statements take 1,000 to 80,000, and one that
has all of Cypher in 2,000 letters 380,000 where nothing is remembered."""

MAX_REMEMBERED = 10_000
"""Contexts and states; some 10 MB. Ordinary statements make 3,000 of them."""

_PATH_STEPS = 3
_PREDICTION_STEPS = 8
_RULE_STEPS = 10


class OutOfSteps(Exception):
    """The budget is spent."""


class Budget:
    """Steps that are left for one statement."""

    def __init__(self, steps: int = MAX_STEPS) -> None:
        self.steps = steps

    def spend(self, steps: int) -> None:
        """Take steps; raise OutOfSteps if too few are left."""
        self.steps -= steps
        if self.steps < 0:
            raise OutOfSteps


def build_lexer(text: str, budget: Budget) -> Cypher25Lexer:
    """Return a lexer whose work is counted."""
    lexer = Cypher25Lexer(InputStream(text))
    lexer._interp = _LexerSimulator(lexer, budget)  # noqa: SLF001 - its only place
    return lexer


def build_parser(
    tokens: CommonTokenStream, mode: int, budget: Budget
) -> "CypherParser":
    """Return a parser that predicts by this mode, and whose work is counted."""
    if count_remembered() > MAX_REMEMBERED:
        forget_predictions()
    parser = CypherParser(tokens, budget)
    parser._interp = _ParserSimulator(parser, mode, budget)  # noqa: SLF001
    return parser


def count_remembered() -> int:
    """Return how many contexts and states of earlier predictions are kept."""
    states = sum(len(dfa.states) for dfa in CypherParser.decisionsToDFA)
    return states + len(CypherParser.sharedContextCache)


def forget_predictions() -> None:
    """Drop the cached predictions; the next statements are parsed more slowly."""
    decisions = enumerate(CypherParser.atn.decisionToState)
    CypherParser.decisionsToDFA = [DFA(state, number) for number, state in decisions]
    CypherParser.sharedContextCache = PredictionContextCache()


class CypherTokens(CommonTokenStream):  # type: ignore[misc]
    """A statement's tokens; looking ahead is counted, blanks included."""

    def __init__(self, lexer: Cypher25Lexer, budget: Budget) -> None:
        super().__init__(lexer)
        self._budget = budget

    def consume(self) -> None:
        """Go to the next token."""
        before = self.index
        super().consume()
        self._budget.spend(self.index - before)


class CypherParser(Cypher25Parser):
    """The generated parser; each rule that it enters is counted."""

    def __init__(self, tokens: CommonTokenStream, budget: Budget) -> None:
        super().__init__(tokens)
        self._budget = budget

    def enterRule(self, *arguments: Any) -> None:  # noqa: N802
        """Begin a rule."""
        self._budget.spend(_RULE_STEPS)
        super().enterRule(*arguments)

    def enterRecursionRule(self, *arguments: Any) -> None:  # noqa: N802
        """Begin a rule that begins with itself."""
        self._budget.spend(_RULE_STEPS)
        super().enterRecursionRule(*arguments)

    def pushNewRecursionContext(self, *arguments: Any) -> None:  # noqa: N802
        """Begin a rule that begins with itself, once more."""
        self._budget.spend(_RULE_STEPS)
        super().pushNewRecursionContext(*arguments)


class _CountedPaths:
    """What both simulators do while they follow a path, counted."""

    _budget: Budget

    def getReachableTarget(self, *arguments: Any) -> Any:  # noqa: N802
        self._budget.spend(1)
        return super().getReachableTarget(*arguments)  # type: ignore[misc]

    def getEpsilonTarget(self, *arguments: Any) -> Any:  # noqa: N802
        self._budget.spend(_PATH_STEPS)
        return super().getEpsilonTarget(*arguments)  # type: ignore[misc]


class _LexerSimulator(_CountedPaths, LexerATNSimulator):  # type: ignore[misc]
    def __init__(self, lexer: Cypher25Lexer, budget: Budget) -> None:
        old = lexer._interp  # noqa: SLF001
        super().__init__(lexer, old.atn, old.decisionToDFA, old.sharedContextCache)
        self._budget = budget

    def consume(self, *arguments: Any) -> None:
        self._budget.spend(1)
        super().consume(*arguments)


class _ParserSimulator(_CountedPaths, ParserATNSimulator):  # type: ignore[misc]
    def __init__(self, parser: Cypher25Parser, mode: int, budget: Budget) -> None:
        old = parser._interp  # noqa: SLF001
        super().__init__(parser, old.atn, old.decisionToDFA, old.sharedContextCache)
        self.predictionMode = mode
        self._budget = budget

    def adaptivePredict(self, *arguments: Any) -> Any:  # noqa: N802
        self._budget.spend(_PREDICTION_STEPS)
        return super().adaptivePredict(*arguments)
