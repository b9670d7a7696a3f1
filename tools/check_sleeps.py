"""Fails on fixed sleeps in tests: a test waits for a condition, never for a guess.

A sleep of more than 0.05 s with a constant, written out or by the name of a module's
constant, needs a comment on its line or the line above that says why.

    python -m tools.check_sleeps tests
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator, Mapping
from pathlib import Path

LONGEST_SECONDS = 0.05
CLOCKS = frozenset({"time", "asyncio", "anyio"})
BARE_NOQA = re.compile(r"#\s*noqa(: [A-Z0-9, ]+)?$")

Constants = Mapping[str, float]


def main(arguments: list[str]) -> int:
    """Print each sleep without a reason; return 1 if there is any."""
    files = sorted(file for folder in arguments for file in Path(folder).rglob("*.py"))
    found = [f"{file}:{each}" for file in files for each in find_sleeps(file)]
    for line in found:
        print(line)
    return 1 if found else 0


def find_sleeps(file: Path, root: Path = Path()) -> list[str]:
    """Return the line and the length of each sleep that no comment explains."""
    text = file.read_text(encoding="utf-8")
    tree = ast.parse(text)
    constants = read_constants(tree) | dict(read_imported(tree, root))
    names = find_names(tree)
    commented = find_comments(text)
    return [
        f"{call.lineno}: sleeps for {seconds:g} s: wait for a condition, or say in a "
        "comment why not"
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and is_sleep(call.func, names)
        for seconds in [find_seconds(call.args[0] if call.args else None, constants)]
        if seconds is not None and seconds > LONGEST_SECONDS
        if not commented & {call.lineno, call.lineno - 1}
    ]


def is_sleep(function: ast.expr, names: frozenset[str]) -> bool:
    """Tell `time.sleep` and the like, and what was imported as such."""
    if isinstance(function, ast.Name):
        return function.id in names
    return (
        isinstance(function, ast.Attribute)
        and function.attr == "sleep"
        and isinstance(function.value, ast.Name)
        and function.value.id in CLOCKS
    )


def find_names(tree: ast.Module) -> frozenset[str]:
    """Return the names under which a module imports `sleep` itself."""
    return frozenset(
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in CLOCKS
        for alias in node.names
        if alias.name == "sleep"
    )


def read_constants(tree: ast.Module) -> dict[str, float]:
    """Return the numbers that a module gives names to at its top."""
    found: dict[str, float] = {}
    for node in tree.body:
        if not isinstance(node, ast.Assign):
            continue
        seconds = find_seconds(node.value, found)
        if seconds is not None:
            found |= {t.id: seconds for t in node.targets if isinstance(t, ast.Name)}
    return found


def read_imported(tree: ast.Module, root: Path) -> Iterator[tuple[str, float]]:
    """Yield the numbers that a module imports by name from files below `root`."""
    for node in tree.body:
        if not isinstance(node, ast.ImportFrom) or not node.module or node.level:
            continue
        file = root / f"{node.module.replace('.', '/')}.py"
        if file.exists():
            known = read_constants(ast.parse(file.read_text(encoding="utf-8")))
            for alias in node.names:
                if alias.name in known:
                    yield alias.asname or alias.name, known[alias.name]


def find_seconds(value: ast.expr | None, constants: Constants) -> float | None:
    """Return the number that an expression of constants stands for, if it does."""
    match value:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return constants.get(name)
        case ast.BinOp(left=left, right=right, op=operator):
            return calculate(
                find_seconds(left, constants), operator, find_seconds(right, constants)
            )
    return None


def calculate(
    left: float | None, operator: ast.operator, right: float | None
) -> float | None:
    """Return the result of one of the four operations of two known numbers."""
    if left is None or right is None:
        return None
    match operator:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
        case ast.Div():
            return left / right
    return None


def find_comments(text: str) -> frozenset[int]:
    """Return the numbers of the lines with a comment that says something."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return frozenset(
        token.start[0]
        for token in tokens
        if token.type == tokenize.COMMENT and not BARE_NOQA.match(token.string)
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
