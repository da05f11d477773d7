"""Reads catalogues and finds the texts in the code, without GNU gettext: a machine that only runs tests has none."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation.template import templatize

from tests.files import ROOT, project_files

PO = ROOT / "locale/ko/LC_MESSAGES/django.po"
CALLS = {
    "gettext": ("msgid",),
    "gettext_lazy": ("msgid",),
    "gettext_noop": ("msgid",),
    "ngettext": ("msgid", "plural"),
    "ngettext_lazy": ("msgid", "plural"),
    "pgettext": ("context", "msgid"),
    "pgettext_lazy": ("context", "msgid"),
    "npgettext": ("context", "msgid", "plural"),
}
"""Functions that ask for a translation or mark a text for one, and what their first arguments are."""
MODULES = frozenset({"django.utils.translation", "mobjects.marking"})
"""Where they come from."""
_LITERAL = r"""u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_TEMPLATE_CALL = re.compile(rf"\b(_|gettext|ngettext|pgettext|npgettext)\(\s*((?:{_LITERAL}\s*,?\s*)+)", re.DOTALL)
_PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[sd%]|\{\w*\}")


@dataclass(frozen=True)
class Key:
    """What a text is looked up by."""

    msgid: str
    context: str = ""


@dataclass
class Entry:
    """One text of a catalogue; without a plural ``translations`` holds one."""

    key: Key
    plural: str
    translations: list[str]
    is_fuzzy: bool


def read_po(path: Path) -> list[Entry]:
    """The texts of a catalogue, its header and what is marked as obsolete (``#~``) left out."""
    blocks = re.split(r"\n\s*\n", path.read_text(encoding="utf-8"))
    entries = [_read_entry(block) for block in blocks if re.search(r"^msgid ", block, re.MULTILINE)]
    return [entry for entry in entries if entry.key.msgid]


def _read_entry(block: str) -> Entry:
    found: dict[str, str] = {}
    current = ""
    for line in block.splitlines():
        if match := re.match(r'(msg\w+(?:\[\d+\])?) (".*")\s*$', line):
            current = match[1]
            found[current] = ast.literal_eval(match[2])
        elif line.startswith('"'):
            found[current] += ast.literal_eval(line.strip())
    return Entry(
        Key(found["msgid"], found.get("msgctxt", "")),
        found.get("msgid_plural", ""),
        [text for name, text in found.items() if name.startswith("msgstr")],
        is_fuzzy=bool(re.search(r"^#,.*\bfuzzy\b", block, re.MULTILINE)),
    )


def find_texts() -> dict[Key, str]:
    """All texts that the code asks a translation of, each with a file that does."""
    found: dict[Key, str] = {}
    for path in project_files(".py"):
        if path.is_relative_to(ROOT / "mobjects") or path.is_relative_to(ROOT / "marketo_admin"):
            found |= dict.fromkeys(_python_texts(path), str(path.relative_to(ROOT)))
    for path in project_files(".html"):
        if path.is_relative_to(ROOT / "templates"):
            found |= dict.fromkeys(_template_texts(path), str(path.relative_to(ROOT)))
    return found


def _python_texts(path: Path) -> set[Key]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in MODULES
        for alias in node.names
    }
    calls = [
        (CALLS[names[node.func.id]], [part.value for part in node.args if isinstance(part, ast.Constant)])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and names.get(node.func.id) in CALLS
    ]
    return {_key(parts, values) for parts, values in calls if len(values) >= len(parts)}


def _template_texts(path: Path) -> set[Key]:
    source = templatize(path.read_text(encoding="utf-8"), origin=str(path))
    calls = [
        (CALLS["gettext" if name == "_" else name], [ast.literal_eval(one) for one in re.findall(_LITERAL, said)])
        for name, said in _TEMPLATE_CALL.findall(source)
    ]
    return {_key(parts, values) for parts, values in calls}


def _key(parts: tuple[str, ...], values: list) -> Key:
    given = dict(zip(parts, values, strict=False))
    return Key(given["msgid"], given.get("context", ""))


def placeholders(text: str) -> set[str]:
    """The places for values in a text."""
    return set(_PLACEHOLDER.findall(text))
