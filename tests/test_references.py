"""What a docstring refers to, as ``:func:`build_payload```, is there under that name."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator

import pytest

from tests.house import sources

RAISES = re.compile(r"\n +Raises:\n(.*?)(?:\n *\n|\Z)", re.DOTALL)
RAISED = re.compile(r"^ +((?:[A-Z]\w+(?:, )?)+): ", re.MULTILINE)
REFERENCE = re.compile(r":(?:mod|func|class|meth|attr|data|exc):`~?([\w.]+)`")


def names_in(tree: ast.AST, prefix: str = "") -> Iterator[str]:
    """The names that a module defines or imports, those of its classes with the class before them."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield f"{prefix}{node.name}"
            yield from names_in(node, f"{prefix}{node.name}.")
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (f"{prefix}{target.id}" for target in targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.ImportFrom | ast.Import):
            yield from (alias.asname or alias.name for alias in node.names)


MODULES = {
    ".".join(path.with_suffix("").parts).removesuffix(".__init__"): set(names_in(tree))
    for path, tree in sources().items()
}


def is_there(reference: str, names: set[str]) -> bool:
    if reference.startswith("mobjects."):
        module, _, name = reference.rpartition(".")
        outer, _, owner = module.rpartition(".")
        return reference in MODULES or name in MODULES.get(module, ()) or f"{owner}.{name}" in MODULES.get(outer, ())
    known = {name.split(".")[0] for name in names} | {name.split(".")[-1] for name in names}
    return reference in names or reference.split(".", maxsplit=1)[0] in known


@pytest.mark.parametrize(
    ("reference", "names", "there"),
    [
        ("mobjects.sync.retry_policy.RULES", set(), True),
        ("mobjects.sync.retry_policy.NOTHING", set(), False),
        ("mobjects.sync.nowhere", set(), False),
        ("step", {"Task", "Task.step"}, True),
        ("take", {"Task", "Task.step"}, False),
    ],
)
def test_a_reference_is_looked_up_where_it_stands(reference, names, there):
    assert is_there(reference, names) is there


def test_what_docstrings_refer_to_exists():
    missing = [
        f"{module}: {reference}"
        for path, tree in sources().items()
        for module in [".".join(path.with_suffix("").parts).removesuffix(".__init__")]
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for reference in REFERENCE.findall(node.value)
        if not is_there(reference, MODULES[module])
    ]
    assert missing == []


def test_what_docstrings_say_is_raised_exists():
    known = {name for names in MODULES.values() for name in names} | set(dir(builtins))
    missing = [
        f"{path}: {name}"
        for path, tree in sources().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        for raises in RAISES.findall(ast.get_docstring(node, clean=False) or "")
        for listed in RAISED.findall(raises)
        for name in listed.split(", ")
        if name not in known
    ]
    assert missing == []
