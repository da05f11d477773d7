"""Two pages that give one name to different things change each other's looks."""

from __future__ import annotations

import re
from collections import defaultdict

from unfold.settings import CONFIG_DEFAULTS

from tests.files import ROOT

SHEETS = sorted((ROOT / "mobjects/static/mobjects").glob("*.css"))


def declarations(text: str) -> list[tuple[str, str, str]]:
    """Selector, property and value of what is said outside of ``@media`` and the like."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"@[^{}]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", text)
    return [
        (" ".join(selector.split()), *(part.strip() for part in said.split(":", 1)))
        for selectors, body in re.findall(r"([^{}]+)\{([^{}]*)\}", text)
        for selector in re.split(r",(?![^()]*\))", selectors)
        for said in body.split(";")
        if said.strip()
    ]


def test_a_name_looks_one_way_only():
    values = defaultdict(set)
    for sheet in SHEETS:
        for selector, name, value in declarations(sheet.read_text()):
            values[selector, name].add(value)
    assert len(values) > 300
    assert sorted(each for each, said in values.items() if len(said) > 1) == []


def test_the_colours_of_the_theme_are_in_the_sheet_of_all_pages():
    said = dict(
        re.findall(r"--color-([a-z0-9-]+): ([^;]+);", (ROOT / "mobjects/static/mobjects/frame.css").read_text())
    )
    assert said == {
        f"{name}-{weight}": value
        for name, all_of in CONFIG_DEFAULTS["COLORS"].items()
        for weight, value in all_of.items()
    }
