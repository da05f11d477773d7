"""Filters and tags for the history pages: states in words, times with their zone, links; and the halted banner."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from mobjects import selectors
from mobjects.accounts.tokens import SCOPE_WORDS
from mobjects.bulk_edits.service import UNDO
from mobjects.kept_text import translate_kept, translate_label, translate_rule
from mobjects.models import RECORD_MODELS, EditSource, Kind, SyncJob, SyncResult
from mobjects.permissions import value_rights
from mobjects.presentation import badges, follow_up_text, job_text, vocabulary
from mobjects.presentation.job_titles import job_title
from mobjects.presentation.navigation import menu_names, standing_of
from mobjects.presentation.status_bar import WIDTH, build_bar
from mobjects.timeline.entries import TimelineEntry

UUID_DIGITS = 32
"""So long is the id of a job; those of imports, deletions and decisions are numbers."""

register = template.Library()
register.filter("moment", job_text.render_time)
register.filter("kept", translate_kept)
register.filter("kept_rule", translate_rule)
register.filter("kept_label", translate_label)
register.filter("duration", vocabulary.format_duration)
register.filter("removed_after", vocabulary.removed_text)
register.filter("field_text", vocabulary.field_text)
register.filter("field_list", lambda names: ", ".join(map(vocabulary.field_text, names)))
register.filter("job_title", job_title)
register.filter("origin_label", follow_up_text.origin_label)
register.filter("job_outcome", job_text.outcome_text)
register.filter("state_badge", badges.state_badge)
register.filter("tone_badge", badges.render_badge)


@register.simple_tag
def press_token() -> SafeString:
    """In a form: what tells a second press of its button from the first, see :mod:`mobjects.views.pressed_once`."""
    return format_html('<input type="hidden" name="token" value="{}">', uuid4())


@register.simple_tag(takes_context=True)
def value_shown(context: Mapping[str, Any], text: str, empty: str = "") -> str:
    """A value as a page shows it: what stands in its place among ``value_names`` of the context, if that is there, as
    :func:`~mobjects.presentation.history.opportunity_names.link_opportunities` gives it.

    Args:
        empty: shown where there is none.
    """
    return context.get("value_names", {}).get(text, text) or empty


@register.filter
def record_url(result: SyncResult, existing: Collection[tuple[str, int]]) -> str:
    """The address of a result's record; "" if it is not among the existing ones."""
    if (result.kind, result.record_id) not in existing:
        return ""
    model_name = RECORD_MODELS[Kind(result.kind)]._meta.model_name
    return reverse(f"admin:mobjects_{model_name}_change", args=[result.record_id])


@register.filter
def record_key(result: SyncResult, existing: Mapping[tuple[str, int], str]) -> str:
    """The key of a result's record, as :func:`mobjects.selectors.existing_records` gives it; "" if it has none."""
    return existing.get((result.kind, result.record_id), "")


@register.filter
def scope_words(scopes: Sequence[str]) -> str:
    """What a token of the API may do, in words."""
    return ", ".join(str(SCOPE_WORDS.get(name, name)) for name in scopes) or _("all that the user may")


@register.filter
def queued_title(job: str, titles: Mapping[str, str]) -> str:
    """The title of a job that the queue names by its id; the id itself if there is no such job."""
    return titles.get(job, job)


@register.filter
def conflict_url(result: SyncResult, conflicts: Mapping[tuple[str, int], int]) -> str:
    """The address of the open conflict that a result may be about; "" if there is none."""
    pk = conflicts.get((result.kind, result.record_id)) if result.status in selectors.UNDECIDED else None
    return reverse("admin:mobjects_conflict_change", args=[pk]) if pk else ""


@register.filter
def is_step(result: SyncResult) -> bool:
    """Whether a result was only a step on the way, and another says what became of the record."""
    return result.status in SyncResult.PASSING_STATUSES


@register.filter
def changes(result: SyncResult) -> list[tuple[str, str, str]]:
    """What a result sent, as field, accepted before, sent; without a difference, what was sent again."""
    if result.diff:
        return [(vocabulary.field_text(name), old, new) for name, old, new in result.diff]
    return [(vocabulary.field_text(name), new, new) for name, new in result.sent.items()]


@register.simple_tag(takes_context=True)
def may_see_values(context: template.Context, result: SyncResult) -> bool:
    """Whether the reader may see values of records of a result's kind; a job's history is another right."""
    user, model = context["request"].user, RECORD_MODELS[Kind(result.kind)]
    return bool(user.has_perms(value_rights(model._meta.model_name or "")))


@register.filter
def agree_with_menu(parts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The theme's way back to a page, in the words of the menu; it begins at the dashboard, not at a list of tables."""
    names = menu_names()
    named = [{**part, "title": names.get(str(part.get("link")), part["title"])} for part in parts]
    if named and str(named[0].get("link")) in (
        reverse("admin:app_list", args=[label]) for label in ("mobjects", "auth")
    ):
        named[0] = {"link": reverse("admin:index"), "title": _("Dashboard")}
    return named


@register.simple_tag
def list_title(changelist: Any, title: str) -> str:
    """What a list is called: as in the menu, or by what it lists. A title that is not Django's own stays."""
    if title != changelist.title:
        return title
    options = changelist.opts
    address = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
    return str(menu_names().get(address) or options.verbose_name_plural.capitalize())


@register.simple_tag(takes_context=True)
def querystring_page(context: template.Context, parameter: str, number: int) -> str:
    """The present address with another page number under ``parameter``; all other parameters stay."""
    query = context["request"].GET.copy()
    query[parameter] = str(number)
    return f"?{query.urlencode()}"


@register.inclusion_tag("mobjects/_status_bar.html")
def status_bar(job: SyncJob) -> dict[str, Any]:
    """``{% status_bar job %}``: how the job's records are spread over the statuses, as a bar and in words."""
    address = reverse("admin:mobjects_syncjob_change", args=[job.pk])
    return {"parts": build_bar(job), "width": WIDTH, "address": address}


@register.inclusion_tag("mobjects/_halted.html", takes_context=True)
def halted(context: template.Context) -> dict[str, Any]:
    """``{% halted %}``: the banner that says that sending is halted; nothing otherwise, or for outsiders."""
    request = context.get("request")
    user = getattr(request, "user", None)
    circuits = standing_of(request).circuits if request is not None and user is not None and user.is_staff else []
    return {"circuits": circuits, "perms": context.get("perms")}


@register.filter
def origin_url(entry: TimelineEntry) -> str:
    """The address of what an edit came with: a job or a deletion; "" if there is none to show."""
    if entry.source == EditSource.PULL or (entry.source == EditSource.DELETED and len(entry.reference) == UUID_DIGITS):
        return reverse("admin:mobjects_syncjob_change", args=[UUID(entry.reference)])
    if entry.source in (EditSource.DELETED, EditSource.RESTORED) and entry.reference:
        return reverse("mobjects:deletion", args=[entry.reference])
    if entry.source == EditSource.BULK and entry.reference:
        return reverse("mobjects:bulk-edit", args=[entry.reference.removesuffix(UNDO)])
    if entry.source == EditSource.DECISION and entry.reference:
        return reverse("admin:mobjects_conflict_change", args=[entry.reference])
    return ""


@register.filter
def origin_words(entry: TimelineEntry) -> str:
    """What that address leads to."""
    if entry.source == EditSource.DECISION:
        return _("both sides")
    if entry.source == EditSource.BULK:
        return _("the bulk edit")
    is_job = len(entry.reference) == UUID_DIGITS
    return _("the job") if is_job else _("the deletion")
