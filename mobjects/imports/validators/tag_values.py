"""Tags and channels of a file, judged by what Marketo knows; equal ones once."""

from __future__ import annotations

from functools import lru_cache

from mobjects.imports.suggestions import find_nearest
from mobjects.models import AllowedValues
from mobjects.models.program import CHANNEL_TAG


class TagValueChecker:
    """All allowed values, read once for a file."""

    def __init__(self) -> None:
        self.known = AllowedValues()
        self.problem = lru_cache(maxsize=2000)(self._problem)

    def _problem(self, type_name: str, value: str) -> tuple[str, str]:
        """Why Marketo would refuse a tag, and what could be meant; both empty if it would not."""
        rule = self.known.find_problem(type_name, value)
        if not rule:
            return "", ""
        allowed = self.known.values_of_type(type_name)
        if allowed:
            return rule, find_nearest(value, allowed)
        return rule, find_nearest(type_name, [*self.known.tag_types, CHANNEL_TAG])
