"""Runs the hub's server with the tracing calls taken out of its code.

`python -m benchmarks.untraced` is what `python -m mcphub_server` would be without
spans: `with open_span(…) as span:` becomes its body, and the other calls of `spans`
become the constants that they return while traces are off.
"""

import ast
import runpy
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType

PACKAGE = "mcphub_server"
KEPT = (f"{PACKAGE}.spans", f"{PACKAGE}.tracing", f"{PACKAGE}.calls.call_spans")
"""Modules that define what the others call."""

SPANS = frozenset({"open_span", "open_call_span"})
CONSTANTS = {"find_trace_id": "", "find_parent": None}
SHARED = "_no_span"


class WithoutTraces(ast.NodeTransformer):
    """Takes the calls out of a module.

    Attributes:
        removed: How many it has taken out.
    """

    def __init__(self) -> None:
        self.removed = 0

    def visit_With(self, node: ast.With) -> ast.With | list[ast.stmt]:
        """Replace the block of a span by its body."""
        self.generic_visit(node)
        kept = [each for each in node.items if not _opens_span(each)]
        spans = [each.optional_vars for each in node.items if _opens_span(each)]
        self.removed += len(spans)
        names = [target for target in spans if target]
        assigned = [ast.Assign([name], ast.Name(SHARED, ast.Load())) for name in names]
        node.items, node.body = kept, [*assigned, *node.body]
        return node if kept else node.body

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Replace a look at the trace by what it returns without one."""
        self.generic_visit(node)
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name == "inject":
            self.removed += 1
            return node.args[0]
        if name in CONSTANTS:
            self.removed += 1
            return ast.Constant(CONSTANTS[name])
        return node


def _opens_span(item: ast.withitem) -> bool:
    call = item.context_expr
    name = call.func if isinstance(call, ast.Call) else None
    return isinstance(name, ast.Name) and name.id in SPANS


class NoSpan:
    """What a name is bound to whose span was taken out."""

    def set(self, name: str, value: object) -> None:
        """Do nothing."""

    def fail(self, error_type: str) -> None:
        """Do nothing."""


class _Loader(SourceFileLoader):
    """Compiles a module without its tracing calls; kept byte code has them."""

    def get_code(self, fullname: str) -> CodeType:
        tree = ast.parse(self.get_data(self.path), self.path)
        if not fullname.startswith(KEPT):
            tree = ast.fix_missing_locations(WithoutTraces().visit(tree))
        return compile(tree, self.path, "exec", dont_inherit=True)

    def exec_module(self, module: ModuleType) -> None:
        setattr(module, SHARED, NoSpan())
        super().exec_module(module)


class _Finder(MetaPathFinder):
    """Finds the server's modules, to be loaded without tracing calls."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: object = None
    ) -> ModuleSpec | None:
        del target
        if fullname.partition(".")[0] != PACKAGE:
            return None
        spec = PathFinder.find_spec(fullname, path)
        if spec and spec.origin and spec.origin.endswith(".py"):
            spec.loader = _Loader(fullname, spec.origin)
        return spec


if __name__ == "__main__":
    sys.meta_path.insert(0, _Finder())
    runpy.run_module(PACKAGE, run_name="__main__", alter_sys=True)
