"""What a bulk edit does, did or would do, in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.apps import apps
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mobjects.bulk_edits.operations import Do, EditOperation, edited_fields, item_ids, operation_of, target_of
from mobjects.kept_text import translate_rule
from mobjects.marketo.types import DataType
from mobjects.models import BulkEdit
from mobjects.removals.service import count_words
from mobjects.resources.columns import FileColumn

SAID = 3
"""So many reasons stand in the sentence; the list has them all."""
_MONTH = len("2026-06")
_LONGEST = 60


def field_label(model_name: str, name: str) -> str:
    """A field as forms call it; its name if it is gone."""
    column = edited_fields(model_name).get(name)
    return _(column.attribute.label) if column else name


def choice_words(operation: EditOperation, column: FileColumn | None) -> str:
    """An operation in a list of choices, below its group."""
    if column is not None:
        return _(column.attribute.label)
    return {
        Do.COPY: _("to another month"),
        Do.TAG: _("a tag of a type"),
        Do.UNTAG: _("the tag of a type"),
    }[Do(operation.do)]


class ValueTexts:
    """Old and new values of one bulk edit, as people read them."""

    def __init__(self, asked: BulkEdit) -> None:
        operation = operation_of(asked)
        column = edited_fields(target_of(asked)).get(operation.field) if operation.field else None
        self._type = column.attribute.type if column else DataType.STRING
        self._is_month = operation.field == "Month"

    def show(self, text: str | None) -> str:
        """A text of a row; "" is empty."""
        if not text:
            return ""
        if self._is_month:
            return text[:_MONTH]
        if self._type is DataType.BOOLEAN:
            return {"true": _("Yes"), "false": _("No")}.get(text, text)
        return text


def describe_change(asked: BulkEdit, count: int) -> str:
    """What is done to so many records, as a sentence without its full stop: Set Stage to “Won” in 412 opportunities."""
    operation, target = operation_of(asked), target_of(asked)
    said = {
        "field": field_label(target, operation.field),
        "value": _quote(asked, operation.value),
        "sought": _cut(operation.sought),
        "what": count_words(apps.get_model("mobjects", target), count),
    }
    return _WORDS[operation.do](operation) % said


def _set_words(_operation: EditOperation) -> str:
    return _("Set %(field)s to %(value)s in %(what)s")


def _add_words(operation: EditOperation) -> str:
    if operation.value.startswith("-"):
        return _("Take %(value)s away from %(field)s in %(what)s")
    return _("Add %(value)s to %(field)s in %(what)s")


def _replace_words(operation: EditOperation) -> str:
    if operation.value:
        return _("Replace “%(sought)s” by %(value)s in %(field)s of %(what)s")
    return _("Remove “%(sought)s” from %(field)s of %(what)s")


def _shift_words(operation: EditOperation) -> str:
    months = int(operation.value)
    number = abs(months)
    if months > 0:
        words = ngettext("Move %(what)s {number} month later", "Move %(what)s {number} months later", number)
    else:
        words = ngettext("Move %(what)s {number} month earlier", "Move %(what)s {number} months earlier", number)
    return words.format(number=number)


def _copy_words(operation: EditOperation) -> str:
    target, source = operation.value[:_MONTH], operation.sought[:_MONTH]
    if source:
        return _("Copy %(what)s of {source} to {target}").format(source=source, target=target)
    return _("Copy %(what)s to {target}").format(target=target)


_WORDS: dict[str, Callable[[EditOperation], str]] = {
    Do.SET: _set_words,
    Do.CLEAR: lambda _each: _("Clear %(field)s in %(what)s"),
    Do.ADD: _add_words,
    Do.MULTIPLY: lambda _each: _("Multiply %(field)s by %(value)s in %(what)s"),
    Do.REPLACE: _replace_words,
    Do.SHIFT: _shift_words,
    Do.COPY: _copy_words,
    Do.TAG: lambda _each: _("Set the tag %(sought)s to %(value)s in %(what)s"),
    Do.UNTAG: lambda _each: _("Remove the tag %(sought)s from %(what)s"),
}


def _quote(asked: BulkEdit, text: str) -> str:
    operation = operation_of(asked)
    text = ValueTexts(asked).show(text)
    if operation.do in (Do.ADD, Do.MULTIPLY):
        return text.removeprefix("-") if operation.do == Do.ADD else text
    return f"“{_cut(text)}”"


def _cut(text: str) -> str:
    return f"{text[:_LONGEST]}…" if len(text) > _LONGEST else text


def describe_plan(asked: BulkEdit) -> str:
    """Exactly what will happen: the change, and how many stay as they are or are refused, and why."""
    counts = asked.counts
    parts = [describe_change(asked, counts["changed"])]
    parts += _reasons(counts["same"], counts["same_reasons"], same=True)
    parts += _reasons(counts["refused"], counts["refused_reasons"], same=False)
    return f"{'; '.join(parts)}."


def _reasons(total: int, reasons: Sequence[Sequence[Any]], *, same: bool) -> list[str]:
    said = []
    for reason, count in reasons[:SAID]:
        values = {"number": number_format(count, force_grouping=True), "reason": _without_stop(translate_rule(reason))}
        if same:
            said.append(ngettext("%(number)s stays: %(reason)s", "%(number)s stay: %(reason)s", count) % values)
        else:
            said.append(
                ngettext("%(number)s is refused: %(reason)s", "%(number)s are refused: %(reason)s", count) % values
            )
    rest = total - sum(count for _reason, count in reasons[:SAID])
    if rest > 0:
        values = {"number": number_format(rest, force_grouping=True)}
        said.append((_("%(number)s more stay") if same else _("%(number)s more are refused")) % values)
    return said


def _without_stop(text: str) -> str:
    return text.removesuffix(".")


def describe_target(asked: BulkEdit) -> str:
    """What was chosen, with its number: 412 opportunities; of costs of programs, how many these are."""
    chosen = count_words(apps.get_model("mobjects", asked.model), len(asked.records))
    if asked.operation and operation_of(asked).target:
        costs = count_words(apps.get_model("mobjects", target_of(asked)), len(item_ids(asked)))
        return _("%(costs)s of %(chosen)s") % {"costs": costs, "chosen": chosen}
    return chosen
