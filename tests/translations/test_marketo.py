"""What the code that talks to Marketo says to people is marked, so that pages say it in the reader's language."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.files import ROOT, project_files

MODULES = [path for path in project_files(".py") if path.is_relative_to(ROOT / "mobjects" / "marketo")]
MARKS = frozenset({"_", "gettext_noop"})
_WORDS = re.compile(r"[A-Za-z]{2,}[,;:.]? [a-z]{2,}| [a-z]{2,}[.;:]?$|^[a-z]{2,}[,;:.]? ")
NAMES = frozenset(
    {
        # Labels of values as they are kept, and names that Marketo gives.
        "Marketo cost ID ",
        "our no. ",
        "event with webinar",
        # Shown in words of their own.
        "at once",
        "user sent",
        "time sent",
        "user now",
        "key now",
        # Stand in a call as it is kept or would be sent.
        "(nothing was sent)",
        "(the id of the person whose ",
        " of company ",
        " would not be sent: ",
        "(all costs are read just before; those that only Marketo holds are kept in the list)",
        "\n(cut: the answer had ",
        "text/xml; charset=utf-8",
        "no such one ",
        # Keys of what is shared or counted.
        "tag ",
        "lock ",
        "rest program costs ",
        "marketo-admin token of ",
        # Never reach anybody but programmers.
        "no fields",
        "no call was made",
        "association ",
        ": give either an id or a key",
    }
)
"""What is no sentence: names that Marketo gives, keys, and parts of what is sent as it stands."""


def unmarked(source: str) -> list[str]:
    """The texts of a module that look like words for people and are not marked."""
    tree = ast.parse(source)
    passed = {id(part) for node in ast.walk(tree) for part in _passed_over(node)}
    texts = {id(node): node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    return [text for key, text in texts.items() if isinstance(text, str) and key not in passed and _WORDS.search(text)]


def _passed_over(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        yield node.value  # a docstring
    if isinstance(node, ast.Call):
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name in MARKS:
            yield from node.args
        elif name in ("compile", "search"):
            yield from ast.walk(node)  # a pattern


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT / "mobjects" / "marketo")))
def test_what_people_read_is_marked(path):
    assert [text for text in unmarked(path.read_text()) if text not in NAMES] == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('raise Rejected("There is nothing to send.")', ["There is nothing to send."]),
        ('raise Rejected(_("There is nothing to send."))', []),
        ('words = f"{name} was refused."', [" was refused."]),
        ('words = _("%(name)s was refused.") % {"name": name}', []),
        ('"""What it does."""', []),
        ('code = "UPDATE"', []),
    ],
)
def test_this_test_finds_what_is_not_marked(source, found):
    assert unmarked(source) == found


def test_what_is_passed_over_is_still_there():
    found = {text for path in MODULES for text in unmarked(path.read_text())}
    assert found >= NAMES
