"""Events of the audit in words: what was done, to what, and where that is to be seen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from mobjects.models import AuditEvent, PurgeKind
from mobjects.presentation.job_text import format_time
from mobjects.retention.service import removed_before

DETAIL_WORDS = {
    "call": gettext_lazy("call"),
    "changes": gettext_lazy("changes"),
    "days": gettext_lazy("days"),
    "column": gettext_lazy("column"),
    "corrections": gettext_lazy("corrections"),
    "filters": gettext_lazy("narrowed to"),
    "format": gettext_lazy("format"),
    "kind": gettext_lazy("kind"),
    "networks": gettext_lazy("networks"),
    "of": gettext_lazy("of"),
    "part": gettext_lazy("part"),
    "request": gettext_lazy("ID in the log"),
    "row": gettext_lazy("row"),
    "scopes": gettext_lazy("scopes"),
    "source": gettext_lazy("from"),
    "token": gettext_lazy("API token"),
    "what": gettext_lazy("what"),
    "why": gettext_lazy("why"),
}
PAGES = {
    "syncjob": "admin:mobjects_syncjob_change",
    "syncbatch": "admin:mobjects_syncbatch_change",
    "syncresult": "mobjects:result",
    "import": "mobjects:import",
    "bulkdeletion": "mobjects:deletion",
    "bulkedit": "mobjects:bulk-edit",
    "user": "admin:auth_user_change",
    "group": "admin:auth_group_change",
    "schedule": "admin:mobjects_schedule_change",
    "customfield": "admin:mobjects_customfield_change",
}
"""Where an object is shown, by the name of its model; it may be gone."""


@dataclass(frozen=True, slots=True)
class DescribedEvent:
    """An event as the list shows it.

    Args:
        object_name: what kind of object it was done to; "" if to none.
        url: where that is shown, "" if nowhere.
        details: the rest, as (name, value).
    """

    event: AuditEvent
    object_name: str
    url: str
    details: list[tuple[str, str]]


def describe_event(event: AuditEvent) -> DescribedEvent:
    """An event with what can be said about it."""
    return DescribedEvent(event, _name_model(event.model), _find_url(event), list(_iter_details(event.detail)))


def _iter_details(detail: Mapping[str, Any]) -> Any:
    for name, value in detail.items():
        if value not in ("", None, [], {}):
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            yield str(DETAIL_WORDS.get(name, name)), text


def _name_model(name: str) -> str:
    for label in ("mobjects", "auth"):
        try:
            return str(apps.get_model(label, name)._meta.verbose_name) if name else ""
        except LookupError:
            continue
    return _("%(name)s (no longer kept)") % {"name": name}


def _find_url(event: AuditEvent) -> str:
    page = PAGES.get(event.model)
    if page is None or not event.object_id or event.kind == "deleted":
        return ""
    try:
        return reverse(page, args=[event.object_id])
    except NoReverseMatch:
        return ""


def purged_text(kind: PurgeKind) -> str:
    """From when on a list of what is purged as a whole is complete, as a sentence; "" while nothing of it went."""
    purge = removed_before(kind)
    if purge is None:
        return ""
    words = ngettext(
        "Entries are kept for %(days)s day: those before %(moment)s were removed.",
        "Entries are kept for %(days)s days: those before %(moment)s were removed.",
        purge.days,
    )
    return words % {"days": f"{purge.days:,}", "moment": format_time(purge.until)}
