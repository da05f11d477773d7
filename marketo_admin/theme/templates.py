"""Pages without the indents of their templates, which were a third of what a list sent."""

from __future__ import annotations

import re
from typing import Any

from django.template import Engine
from django.template.base import Origin
from django.template.loaders import cached

_SPACES = re.compile(
    r"(?P<kept><(?P<tag>pre|textarea|style)\b.*?</(?P=tag)>|{%\s*(?P<block>blocktrans\w*|verbatim)\b.*?{%\s*end(?P=block)\b)"
    r"|\s*\n\s*",
    re.DOTALL,
)


def without_indents(source: str) -> str:
    """A template of HTML with one new line for each run of spaces that has one; a browser shows the same.

    What a browser shows as it is keeps its spaces; so do styles, whose hash is known (docs/decisions/0079), and texts
    to be translated, which are looked up by them.
    """
    return _SPACES.sub(lambda found: found["kept"] or "\n", source)


class Loader(cached.Loader):
    """Finds and keeps templates as Django does by default, those of HTML without their indents."""

    def __init__(self, engine: Engine) -> None:
        names = ("filesystem", "app_directories")
        super().__init__(engine, [f"django.template.loaders.{name}.Loader" for name in names])

    def get_contents(self, origin: Origin) -> Any:
        source = super().get_contents(origin)
        return without_indents(source) if str(origin.template_name).endswith(".html") else source
