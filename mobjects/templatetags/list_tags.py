"""The rows of the admin's lists: the theme's look from a style sheet instead of half a kilobyte of classes a cell.

What is the same in all rows, such as how a column is read and what stands around its cells, is found out once a page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape
from operator import attrgetter
from typing import Any

from django import template
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import lookup_field, quote
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import CharField, Field, ForeignKey, Model, TextField
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from unfold.templatetags.unfold_list import result_headers
from unfold.utils import display_for_field, display_for_value

register = template.Library()

Cell = Callable[[Any], str]
"""The HTML of a record's cell."""

CHOICE = '<td data-label="{1}"><input type="checkbox" class="action-select" name="{0}" value="'
CHOICE_END = '" aria-label="{}"></td>'


@register.inclusion_tag("mobjects/lists/rows.html", takes_context=True)
def list_rows(context: Any, cl: ChangeList) -> dict[str, Any]:
    """The headings and rows of a list."""
    headers = list(result_headers(cl))
    return {
        "cl": cl,
        "headers": headers,
        "num_sorted_fields": sum(bool(header["sortable"] and header["sorted"]) for header in headers),
        "rows": _rows(cl, headers),
        "has_add_permission": context.get("has_add_permission"),
        "purged": context.get("purged"),
    }


def _rows(cl: ChangeList, headers: list[Any]) -> SafeString:
    """All rows as HTML; one body for each, as the theme's script for choosing rows expects."""
    if not cl.result_list:
        return SafeString("")
    cells = list(_cells(cl, headers))
    rows = ("".join([cell(record) for cell in cells]) for record in cl.result_list)
    return mark_safe("".join(f"<tbody><tr>{row}</tr></tbody>" for row in rows))  # noqa: S308 -- of escaped cells


def _cells(cl: ChangeList, headers: list[Any]) -> Iterator[Cell]:
    linked = cl.list_display_links or ()
    for name, header in zip(cl.list_display, headers, strict=True):
        if name == "action_checkbox":
            yield _choice()
            continue
        tag, column = "th" if name in linked else "td", getattr(name, "__name__", name)
        opened = f'<{tag} class="field-{escape(str(column))}" data-label="{conditional_escape(header["text"])}">'
        shown = _linked(cl, _shown(cl, name)) if name in linked else _shown(cl, name)
        yield _between(opened, shown, f"</{tag}>")


def _choice() -> Cell:
    label = escape(_("Select record"))
    opened, closed = CHOICE.format(ACTION_CHECKBOX_NAME, label), CHOICE_END.format(label)
    return lambda record: f"{opened}{conditional_escape(record.pk)}{closed}"


def _between(opened: str, shown: Callable[[Any], Any], closed: str) -> Cell:
    def cell(record: Any) -> str:
        text = shown(record)
        # What conditional_escape() does, without asking first whether the text is a lazy one.
        html = text.__html__() if hasattr(text, "__html__") else escape(str(text))
        return f"{opened}{html}{closed}"

    return cell


def _linked(cl: ChangeList, shown: Callable[[Any], Any]) -> Cell:
    """As links to the pages of the records, which lead back to this list."""
    first = cl.result_list[0]
    own, url = quote(getattr(first, cl.pk_attname)), cl.url_for_result(first)
    start, end = url.rsplit(f"/{own}/", 1)
    kept = add_preserved_filters({"preserved_filters": cl.preserved_filters, "opts": cl.opts}, url).removeprefix(url)
    opened, closed = f'<a href="{escape(start)}/', f'/{escape(end + kept)}"'

    def link(record: Any) -> SafeString:
        popup = ""
        if cl.is_popup:
            value = record.serializable_value(str(cl.to_field) if cl.to_field else cl.pk_attname)
            popup = f' data-popup-opener="{escape(str(value))}"'
        address = f"{opened}{quote(getattr(record, cl.pk_attname))}{closed}{popup}"
        return mark_safe(f"{address}>{conditional_escape(shown(record))}</a>")  # noqa: S308 -- of escaped parts

    return link


def _shown(cl: ChangeList, name: Any) -> Callable[[Any], Any]:
    """What shows a column of a record, as the admin's own lists do."""
    empty = cl.model_admin.get_empty_value_display()
    read = _reader(cl.model_admin, name, _concrete_field(cl, name), empty)

    def shown(record: Any) -> Any:
        try:
            return read(record)
        except ObjectDoesNotExist:
            return empty

    return shown


def _reader(admin: Any, name: Any, field: Field[Any, Any] | None, empty: str) -> Callable[[Any], Any]:
    own = getattr(admin, name, None) if isinstance(name, str) and name != "__str__" else None
    if field is None and own is None:
        return lambda record: _looked_up(admin, name, record, empty)
    if field is None or field.auto_created:
        boolean, empty = getattr(own, "boolean", False), getattr(own, "empty_value_display", empty)
        value = own or attrgetter(name)
        return lambda record: display_for_value(value(record), empty, boolean)
    if isinstance(field, ForeignKey):
        return lambda record: empty if (related := getattr(record, name)) is None else related
    if isinstance(field, (CharField, TextField)) and not field.flatchoices:
        return lambda record: getattr(record, name) or empty
    return lambda record: display_for_field(getattr(record, name), field, empty)


def _concrete_field(cl: ChangeList, name: Any) -> Field[Any, Any] | None:
    return next((field for field in cl.opts.concrete_fields if field.name == name), None)


def _looked_up(admin: Any, name: Any, record: Model, empty: str) -> Any:
    """A property, a method or what a function says of a record."""
    _field, attribute, value = lookup_field(name, record, admin)
    empty = getattr(attribute, "empty_value_display", empty)
    return display_for_value(value, empty, getattr(attribute, "boolean", False))
