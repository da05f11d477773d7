"""Taking back what a job sent: what would be put back, what is left alone and why; then the job that does it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import Q, Value
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from mobjects import selectors
from mobjects.formatting import to_sentence
from mobjects.forms.undo import UndoForm
from mobjects.jobs.requests import request_undo
from mobjects.models import RECORD_MODELS, Kind, SyncJob, SyncResult
from mobjects.presentation.job_titles import job_title
from mobjects.presentation.vocabulary import field_text, removed_text
from mobjects.sync.content.payload import KeyFields
from mobjects.sync.send.undo.verdicts import (
    LEFT_ALONE,
    WAS_CREATED,
    UndoGroup,
    can_be_undone,
    find_bound,
    find_old_values,
    judged_results,
    status_with,
    undo_groups,
)
from mobjects.sync.transport_factory import key_fields, key_names
from mobjects.views.base import (
    history_crumb,
    missing_right,
    render_denied,
    render_page,
    require_permission,
    say_not_done,
)
from mobjects.views.pressed_once import lead_to_made, made_before, make_once
from mobjects.views.sync.job_actions import job_address, redirect_to_new_job

COUNT = "count"
"""In the address: all records are to be counted. A page of many asks for that by itself once it is open."""
FIRST = 2_000
"""So many records are counted when the page opens; of more, all are counted afterwards."""
PER_PAGE = 25
WINDOW = 500


@dataclass(frozen=True, slots=True)
class UndoRow:
    """One record of an undo.

    Args:
        result: of the sending that is taken back.
        back: field, what was sent, what it is put back to.
        notes: what is not taken back, or why nothing is, as sentences.
    """

    result: SyncResult
    back: list[tuple[str, str, str]]
    notes: list[str]


@require_http_methods(["GET", "POST"])
@require_permission("mobjects.sync_records")
def undo_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Say what taking a job back would do; on "Undo", make the job that does it."""
    job = get_object_or_404(SyncJob, pk=pk)
    if made_before(request):
        return lead_to_made(request)
    if not can_be_undone(job):
        removed = removed_text(job.values_removed_at, job.finished_at)
        say_not_done(request, removed or _("Only what was sent can be undone, once its job is over."), job)
        return redirect("admin:mobjects_syncjob_change", job.pk)
    bound = None if request.method == "POST" or COUNT in request.GET else find_bound(job, FIRST)
    groups = undo_groups(job, bound)
    if lacking := _missing_right(request, groups):
        return render_denied(request, lacking)
    form = UndoForm(request.POST) if request.method == "POST" else UndoForm(initial={"read_first": True})
    back = sum(group.count for group in groups if not group.reason)
    if form.is_bound and form.is_valid() and back:
        given = form.cleaned_data
        undo = partial(request_undo, job, read_first=given["read_first"], user=request.user, reason=given["reason"])  # type: ignore[arg-type]
        new = make_once(request, undo, job_address)
        return lead_to_made(request) if new is None else redirect_to_new_job(request, new)
    if bound is not None and not _holds_chosen(request, groups):
        bound, groups = None, undo_groups(job)
        back = sum(group.count for group in groups if not group.reason)
    return _show(request, job, form, groups, back, is_partial=bound is not None)


def _missing_right(request: HttpRequest, groups: list[UndoGroup]) -> str:
    """The first right that somebody lacks to have this taken back: to change such records, and to see their values."""
    for kind in dict.fromkeys(group.kind for group in groups if not group.reason):
        permission = f"mobjects.change_{RECORD_MODELS[kind]._meta.model_name}"
        if not request.user.has_perm(permission):
            return permission
    kinds = dict.fromkeys(group.kind for group in groups)
    return next((lacking for kind in kinds if (lacking := missing_right(request, kind))), "")


def _holds_chosen(request: HttpRequest, groups: list[UndoGroup]) -> bool:
    """Whether the group that the address names is among some."""
    kind, reason = request.GET.get("kind", ""), LEFT_ALONE.get(request.GET.get("which", ""), "")
    return not kind or any(group.kind == kind and group.reason == reason for group in groups)


def _show(
    request: HttpRequest, job: SyncJob, form: UndoForm, groups: list[UndoGroup], back: int, *, is_partial: bool
) -> HttpResponse:
    kinds = [kind for kind in RECORD_MODELS if any(group.kind is kind for group in groups)]
    chosen = request.GET.get("kind", "")
    kind = Kind(chosen) if chosen in kinds else next(iter(kinds), None)
    which = request.GET.get("which", "")
    reason = LEFT_ALONE.get(which, "")
    search = request.GET.get("q", "").replace("\0", "").strip()[:200]
    most = sum(group.count for group in groups if group.kind is kind and group.reason == reason)
    after = selectors.id_in(request.GET.get("after")) or 0
    rows, following = _read_rows(job, kind, reason, search, after, most) if most else ([], None)
    above = (history_crumb(), (job_title(job), reverse("admin:mobjects_syncjob_change", args=[job.pk])))
    return render_page(
        request,
        "sync/undo/page.html",
        _("Undo this sending?"),
        crumbs=above,
        job=job,
        form=form,
        back=back,
        counted=FIRST if is_partial else 0,
        whole=_whole_address(request),
        groups=[(group, str(RECORD_MODELS[group.kind]._meta.verbose_name_plural).capitalize()) for group in groups],
        created=sum(group.count for group in groups if group.reason == WAS_CREATED),
        rows=rows,
        existing=selectors.existing_records([row.result for row in rows]),
        shown_kind=kind,
        reason=to_sentence(reason) if reason else "",
        which=which if reason else "",
        search=search,
        following=following,
        whole_costs=not key_fields().traits.has_cost_ids
        and any(group.kind is Kind.PROGRAM and not group.reason for group in groups),
    )


def _whole_address(request: HttpRequest) -> str:
    """The same page with all records counted."""
    query = request.GET.copy()
    query[COUNT] = "1"
    return f"?{query.urlencode()}"


def _read_rows(
    job: SyncJob, kind: Kind | None, reason: str, search: str, after: int, most: int
) -> tuple[list[UndoRow], int | None]:
    """The next records with one reason to be left alone, or none, and where the page after them begins.

    Args:
        most: there are so many of them in all.
    """
    if kind is None:
        return [], None
    found = judged_results(job, kind).filter(status=status_with(reason), pk__gt=after)
    if search:
        number = selectors.id_in(search, digits=9)
        named = Q(label__icontains=search) | Q(marketo_guid=search.lower() or None)
        found = found.filter(named if number is None else named | Q(marketo_id=number))
    # Judging costs, so a few are judged first: mostly a page is among them.
    few = found.annotate(left=Value("")).values("pk")[:WINDOW]
    results = list(found.filter(pk__in=few, left=reason)[: PER_PAGE + 1])
    if len(results) < min(PER_PAGE + 1, most):
        results = list(found.filter(left=reason)[: PER_PAGE + 1])
    shown = results[:PER_PAGE]
    keys, key_then = key_fields(), key_names(job.transport)
    return [_row(result, keys, key_then) for result in shown], shown[-1].pk if len(results) > PER_PAGE else None


def _row(result: Any, keys: KeyFields, key_then: Collection[str]) -> UndoRow:
    if left := result.left:
        return UndoRow(result, [(field_text(name), new, new) for name, _old, new in result.diff], [to_sentence(left)])
    values = find_old_values(result, keys, key_then)
    kept = [_("Not taken back: %s.") % ", ".join(values.kept)] if values.kept else []
    return UndoRow(result, [(field_text(name), sent, old) for name, sent, old in values.back], kept)
