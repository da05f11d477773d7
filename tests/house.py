"""Measures of the code as a whole. ``python -m tests.house`` prints them; tests/test_house.py holds them."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from tests.files import ROOT, project_files

DJANGO_OWN = {"Meta", "Command", "Media"}
"""Names of classes that Django itself asks for, once in every module."""


@cache
def sources() -> dict[Path, ast.Module]:
    """The product's modules, parsed; without migrations, which are a record of what was."""
    paths = (path.relative_to(ROOT) for path in project_files(".py"))
    ours = [path for path in paths if path.parts[0] in ("mobjects", "marketo_admin") and "migrations" not in path.parts]
    return {path: ast.parse((ROOT / path).read_text(encoding="utf-8")) for path in ours}


def defined(kind: type[ast.AST] | tuple[type[ast.AST], ...]) -> Iterator[tuple[Path, Any]]:
    """Each definition of a kind, with its module."""
    return ((path, node) for path, tree in sources().items() for node in ast.walk(tree) if isinstance(node, kind))


def functions() -> list[str]:
    """The name of each function and method, in the order of the code; without Python's own, such as ``__init__``."""
    names = (node.name for _, node in defined((ast.FunctionDef, ast.AsyncFunctionDef)))
    return [name for name in names if not (name.startswith("__") and name.endswith("__"))]


def share_of_one_word() -> float:
    """How many functions have a name of one word; from 0 to 1."""
    names = functions()
    return sum("_" not in name.strip("_") for name in names) / len(names)


def classes_by_name() -> dict[str, set[Path]]:
    """In which modules a name is given to a class."""
    found = defaultdict(set)
    for path, node in defined(ast.ClassDef):
        found[node.name].add(path)
    return {name: paths for name, paths in found.items() if name not in DJANGO_OWN}


def modules_by_folder() -> Counter[str]:
    """How many modules stand in each folder itself."""
    return Counter(str(path.parent) for path in sources() if path.name != "__init__.py")


def arrows(package: str) -> set[tuple[str, str]]:
    """Which parts of a package (a module or a folder in it) import which others.

    Args:
        package: dotted.
    """
    folder = Path(*package.split("."))
    found = set()
    for path, tree in sources().items():
        if path.is_relative_to(folder):
            for imported in _imported(tree, package):
                found.add((_part(path.with_suffix("").relative_to(folder).parts), _part(imported)))
    return {(here, there) for here, there in found if here != there}


def _imported(tree: ast.Module, package: str) -> Iterator[tuple[str, ...]]:
    """What a module imports of a package, as the parts of its name below it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                if name.startswith(f"{package}."):
                    yield tuple(name.removeprefix(f"{package}.").split("."))


def _part(names: tuple[str, ...]) -> str:
    return names[0]


def words(name: str) -> list[str]:
    """The words of a name, in whatever case it is written."""
    separated = "".join(f"_{letter}" if letter.isupper() and not name.isupper() else letter for letter in name)
    return [word.lower() for word in separated.split("_") if word]


def named() -> Iterator[tuple[Path, str]]:
    """Every name that the code gives: modules, classes, functions, parameters, variables and attributes."""
    for path, tree in sources().items():
        yield path, path.stem
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield path, node.name
            elif isinstance(node, ast.arg):
                yield path, node.arg
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield path, node.id
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                yield path, node.attr


def main() -> None:
    """Print the measures."""
    fullest, number = modules_by_folder().most_common(1)[0]
    doubled = sorted(name for name, paths in classes_by_name().items() if len(paths) > 1)
    lines = sum(len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in sources())
    print(f"lines of code in {len(sources())} modules: {lines}")
    print(f"modules in the fullest folder: {number} ({fullest})")
    print(f"import arrows between the parts of sync: {len(arrows('mobjects.sync'))}")
    print(f"names of classes in more than one module: {len(doubled)} {' '.join(doubled)}".rstrip())
    print(f"functions with a name of one word: {share_of_one_word():.0%} of {len(functions())}")


if __name__ == "__main__":
    main()
