"""The field that a reason names, by its names in either API or in our words, and where a record's form has it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from django.utils.translation import gettext as _

from mobjects.marketo.attributes import COMPANY_KEY, EXTERNAL_ID, STANDARD, MarketoAttribute
from mobjects.marketo.types import DataType, Kind
from mobjects.marketo.value_text import to_text
from mobjects.models import CustomField
from mobjects.models.program import CHANNEL_TAG, COST_PREFIX, TAG_PREFIX
from mobjects.presentation.vocabulary import field_text

COSTS, TAGS = "costs", "tags"
"""The rows of a program, as its form calls them."""

_COMPANY = MarketoAttribute("CompanyKey", COMPANY_KEY, DataType.STRING)
_EXTERNAL = MarketoAttribute("ExternalId", EXTERNAL_ID, DataType.STRING)
_REST_NAMES = {_COMPANY: "|externalCompanyId", _EXTERNAL: "|external ID|externalOpportunityId"}
_KINDS_OWN = {Kind.OPPORTUNITY: (*STANDARD[Kind.OPPORTUNITY], _COMPANY, _EXTERNAL), Kind.ROLE: STANDARD[Kind.ROLE]}

_TAG = re.compile(
    r"\b[Tt]ag(?P<of_type> type)? [“‘'\"](?P<quoted>.+?)[”’'\"]"
    r"|(?:^|[.-] )Tag (?P<first>[^:“'\"]+?)(?::| is given twice)"
    r"|(?:^|\. )(?!The tag type )(?P<ours>[^“”.;]+?) “[^“”]*” is not known in Marketo"
)
_CHANNEL = re.compile(r"\b[Cc]hannel\b")
_COST = re.compile(r"\b[Cc]osts? of (?=\d)|\bcost (?=\d{4}-)|\bCost (?=\d|Month|Amount|Note|Id)")
_COST_NUMBER = re.compile(rf"\b{COST_PREFIX}(\d+)\b")
_MONTH = re.compile(r"(?<![\d-])\d{4}-(?:0[1-9]|1[0-2])(?![\d-])")
_COLUMNS = (
    ("marketo_cost_id", re.compile(r"\bCost Id\b|without a known cost ID")),
    ("month", re.compile(r"\bCost Month\b")),
    ("note", re.compile(r"\bCost Note\b|\bnote of the cost\b")),
)
_COLUMN_LABELS = {"marketo_cost_id": "Marketo cost ID", "month": "Month", "note": "Note", "amount": "Amount"}


@dataclass(frozen=True, slots=True)
class NamedField:
    """A field that a reason names.

    Args:
        entry: its name among the values of a record; what all costs begin with, for a cost.
        label: as forms call it.
        input_name: what the record's form calls it, without what all custom fields begin with there; "" if it stands
            in a row.
        is_custom: whether it is a custom field.
        rows: the program's in which it stands, ``costs`` or ``tags``; "" otherwise.
        column: of the row.
        reason: that names it.
    """

    entry: str
    label: str
    input_name: str = ""
    is_custom: bool = False
    rows: str = ""
    column: str = ""
    reason: str = ""

    @property
    def month(self) -> str:
        """Of a cost, ``2026-06``; "" if the reason does not say it."""
        found = _MONTH.search(self.reason)
        return found[0] if found and self.rows == COSTS else ""

    def is_entry(self, name: str, text: str) -> bool:
        """Whether a value of the record is meant.

        Args:
            name: of the value.
            text: the value.
        """
        if self.rows != COSTS:
            return _plain(self.entry) == _plain(name)
        number = _COST_NUMBER.search(self.reason)
        if not name.startswith(COST_PREFIX) or number:
            return number is not None and name == number[0]
        return bool(self.month) and text.startswith(f"{self.month} ")

    def choose_row(self, rows: Sequence[Any]) -> Any | None:
        """The row that is meant, of all costs or tags of a program; ``None`` if that cannot be told."""
        found = [row for row in rows if self.is_entry(row.content_key, str(row))]
        if self.rows == COSTS and not found and not self.month:
            found = list(rows) if len(rows) == 1 else []
        return next((row for row in found if self.rows == COSTS and self._says_amount(row)), next(iter(found), None))

    def _says_amount(self, cost: Any) -> bool:
        texts = {to_text(cost.amount), f"{cost.amount:.2f}", f"{cost.amount:,.2f}", f"{cost.amount.normalize():f}"}
        return any(re.search(rf"(?<![\d.,]){re.escape(text)}(?![\d]|[.,]\d)", self.reason) for text in texts)


def find_field(kind: str, reason: str, custom: Iterable[CustomField] = ()) -> NamedField | None:
    """The field of a record that a reason names; the longest name counts, and of a program's fields the first.

    A field is named by its API name or its label, in quotes also as Marketo's REST API spells it (``'closeDate'``).

    Args:
        kind: of the record.
        reason: masked or not.
        custom: the custom fields there are.
    """
    if kind == Kind.PROGRAM:
        return _find_of_program(reason)
    if kind not in tuple(Kind):
        return None
    found = [*_find_own(Kind(kind), reason), *_find_custom(kind, reason, custom)]
    return max(found, key=lambda each: len(each.label), default=None)


def _find_own(kind: Kind, reason: str) -> Iterator[NamedField]:
    for each in _KINDS_OWN[kind]:
        if _names(each).search(reason):
            yield NamedField(each.label, each.label, each.field_name, reason=reason)


def _find_custom(kind: str, reason: str, custom: Iterable[CustomField]) -> Iterator[NamedField]:
    for each in custom:
        if each.kind == kind and _custom_names(each.name, each.label).search(reason):
            yield NamedField(each.name, str(each), each.name, is_custom=True, reason=reason)


def _find_of_program(reason: str) -> NamedField | None:
    tag, channel, cost = (pattern.search(reason) for pattern in (_TAG, _CHANNEL, _COST))
    if tag and not (channel and channel.start() < tag.start()):
        name = str(tag["quoted"] or tag["first"] or tag["ours"])
        if name.casefold() not in (CHANNEL_TAG.casefold(), f"the {CHANNEL_TAG}".casefold()):
            column = "type" if tag["of_type"] and "value" not in reason else "value"
            entry = f"{TAG_PREFIX}{name}"
            return NamedField(entry, field_text(entry), rows=TAGS, column=column, reason=reason)
    if channel:
        return NamedField(CHANNEL_TAG, CHANNEL_TAG, "channel", reason=reason)
    if not cost:
        return None
    column = next((name for name, words in _COLUMNS if words.search(reason)), "amount")
    found = NamedField(COST_PREFIX, "", rows=COSTS, column=column, reason=reason)
    label = f"{' '.join(filter(None, (_('Period cost'), found.month)))}: {_(_COLUMN_LABELS[column])}"
    return replace(found, label=label)


def _plain(name: str) -> str:
    return name.replace(" ", "").casefold()


@cache
def _names(field: MarketoAttribute) -> re.Pattern[str]:
    """Finds the names of a field."""
    whole, label = re.escape(field.name), re.escape(field.label)
    return re.compile(rf"(?<!\w)(?:{whole}|{label}{_REST_NAMES.get(field, '')})(?!\w)|['‘“\"](?i:{whole})['’”\"]")


def _custom_names(name: str, label: str) -> re.Pattern[str]:
    """Finds the names of a custom field. One that is an ordinary word is only meant in quotes or before a colon."""
    words = [re.escape(each) for each in (name, label) if each]
    quoted = rf"['‘“\"](?i:{'|'.join(words)})['’”\"]"
    free = [word if re.search(r"[^a-z]", word) else rf"{word}:" for word in words]
    return re.compile(rf"(?<!\w)(?:{'|'.join(free)})(?!\w)|{quoted}")
