"""The rows of the admin's lists: the theme's look from a style sheet instead of half a kilobyte of classes a cell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import template
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import lookup_field
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import ForeignKey, Model
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from unfold.templatetags.unfold_list import result_headers
from unfold.utils import display_for_field, display_for_value

register = template.Library()

CHOICE = '<input type="checkbox" class="action-select" name="{}" value="{}" aria-label="{}">'


@register.inclusion_tag("mobjects/lists/rows.html", takes_context=True)
def list_rows(context: Any, cl: ChangeList) -> dict[str, Any]:
    """The headings and rows of a list."""
    headers = list(result_headers(cl))
    kept = _kept_filters(cl)
    return {
        "cl": cl,
        "headers": headers,
        "num_sorted_fields": sum(bool(header["sortable"] and header["sorted"]) for header in headers),
        "rows": [list(_cells(cl, record, headers, kept)) for record in cl.result_list],
        "has_add_permission": context.get("has_add_permission"),
    }


def _kept_filters(cl: ChangeList) -> str:
    """What addresses of rows end with, so that their pages lead back here; the same for all rows."""
    if not cl.result_list:
        return ""
    url = cl.url_for_result(cl.result_list[0])
    kept: str = add_preserved_filters({"preserved_filters": cl.preserved_filters, "opts": cl.opts}, url)
    return kept.removeprefix(url)


def _cells(cl: ChangeList, record: Any, headers: list[Any], kept: str) -> Iterator[SafeString]:
    linked = cl.list_display_links
    for name, header in zip(cl.list_display, headers, strict=True):
        if name == "action_checkbox":
            choose = _("Select record")
            choice = format_html(CHOICE, ACTION_CHECKBOX_NAME, record.pk, choose)
            yield format_html('<td data-label="{}">{}</td>', choose, choice)
            continue
        shown = _shown(cl, record, name)
        tag, column = "td", getattr(name, "__name__", name)
        if linked and name in linked:
            tag, shown = "th", _link(cl, record, shown, kept)
        yield format_html('<{0} class="field-{1}" data-label="{2}">{3}</{0}>', tag, column, header["text"], shown)


def _shown(cl: ChangeList, record: Model, name: Any) -> Any:
    admin: Any = cl.model_admin
    empty = admin.get_empty_value_display()
    try:
        field, attribute, value = lookup_field(name, record, admin)
    except ObjectDoesNotExist:
        return empty
    empty = getattr(attribute, "empty_value_display", empty)
    if field is None or field.auto_created:
        return display_for_value(value, empty, getattr(attribute, "boolean", False))
    if isinstance(field, ForeignKey):
        related = getattr(record, field.name)
        return empty if related is None else related
    return display_for_field(value, field, empty)


def _link(cl: ChangeList, record: Any, shown: Any, kept: str) -> SafeString:
    url = f"{cl.url_for_result(record)}{kept}"
    if not cl.is_popup:
        return format_html('<a href="{}">{}</a>', url, shown)
    value = record.serializable_value(str(cl.to_field) if cl.to_field else cl.pk_attname)
    return format_html('<a href="{}" data-popup-opener="{}">{}</a>', url, value, shown)
