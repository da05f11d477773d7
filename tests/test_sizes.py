"""Files and functions stay small enough to be read in one go."""

from __future__ import annotations

import ast

from tests.files import ROOT, project_files

FILE_LINES = 400
FUNCTION_LINES = 60
TEMPLATE_LINES = 120


def sources():
    return [path for path in project_files(".py") if "migrations" not in path.parts]


def length(path):
    return len(path.read_text(encoding="utf-8").splitlines())


def test_no_file_is_too_long():
    assert [str(path.relative_to(ROOT)) for path in sources() if length(path) > FILE_LINES] == []


def test_no_function_is_too_long():
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno >= FUNCTION_LINES
    ]
    assert long == []


def test_no_template_is_too_long():
    templates = [path for path in project_files(".html") if "templates" in path.parts]
    assert [str(path.relative_to(ROOT)) for path in templates if length(path) > TEMPLATE_LINES] == []
