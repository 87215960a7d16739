"""Reading the project's Python files as syntax trees."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
FOLDERS = ("harness/lbcert", "suites", "tests", "benchmarks", "tools")


def files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders or FOLDERS for path in (REPOSITORY / folder).rglob("*.py"))


def shown(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def functions(path: Path) -> Iterator[tuple[str, ast.AST]]:
    """(name of the innermost function around it, node) for every node; `<module>` outside of all."""

    def walk(node: ast.AST, name: str) -> Iterator[tuple[str, ast.AST]]:
        for child in ast.iter_child_nodes(node):
            inner = child.name if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)) else name
            yield inner, child
            yield from walk(child, inner)

    return walk(tree(path), "<module>")


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, absolute module) of every import; what only type checkers see is left out."""
    source = REPOSITORY / "harness"
    package = list(path.relative_to(source).parent.parts) if path.is_relative_to(source) else []
    for node in _run(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            # `from . import a` may name modules as well as values; both belong to the package.
            submodules = [name.name for name in node.names if (source / Path(*module.split(".")) / f"{name.name}.py").exists()]
            yield from ((node.lineno, f"{module}.{name}") for name in submodules)
            if len(submodules) < len(node.names):
                yield node.lineno, module


def _run(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            continue
        yield child
        yield from _run(child)
