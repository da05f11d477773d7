"""Sync history in the admin: lists of jobs, batches and results. Nobody can change any of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from mobjects.admin.lists.filters import DayFilter, PeriodFilter, PersonFilter, ScheduleFilter, TouchedFilter
from mobjects.admin.lists.views import ListOfViews
from mobjects.kept_text import translate_kept
from mobjects.models import SyncBatch, SyncJob, SyncResult
from mobjects.presentation import job_text, vocabulary
from mobjects.presentation.badges import state_badge
from mobjects.presentation.count_links import job_outcome
from mobjects.presentation.follow_up_text import operation_text
from mobjects.presentation.job_titles import job_title
from mobjects.presentation.status_bar import WIDTH, build_bar
from mobjects.result_queries import REACH, jobs_touching
from mobjects.selectors import PAYLOAD_FIELDS, id_in
from mobjects.views.keyset import KeysetChangeList
from mobjects.views.sync.batch_detail import batch_page
from mobjects.views.sync.job_detail import job_page
from mobjects.views.sync.result_detail import result_page
from mobjects.views.sync.result_list import results_page

CUT = 80


class ReadOnlyAdmin(ModelAdmin):
    """Looking only, for superusers too: history that can be edited is no history."""

    list_per_page = 50
    show_full_result_count = False
    actions = None

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        return KeysetChangeList

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    @admin.display(description=_("Started"), ordering="created_at")
    def created(self, row: Any) -> SafeString | str:
        """When the row was written."""
        return job_text.render_time(row.created_at)

    @admin.display(description=_("Asked for"), ordering="created_at")
    def asked(self, row: Any) -> SafeString | str:
        """When somebody pressed the button."""
        return job_text.render_time(row.created_at)

    @admin.display(description=_("State"), ordering="state")
    def state_words(self, row: Any) -> SafeString:
        """The state, in words."""
        return state_badge(row)

    @admin.display(description=_("By"), ordering="username", empty_value="-")
    def who(self, row: Any) -> str | None:
        """The user's name as it was then."""
        return row.username or None

    @admin.display(description=_("Reason"))
    def why(self, row: Any) -> SafeString | str:
        """The reason given, cut to a line."""
        return truncate_text(row.reason)


@admin.register(SyncJob)
class SyncJobAdmin(ListOfViews, ReadOnlyAdmin):
    """The sync history; a job's own page is :func:`mobjects.views.sync.job_detail.job_page`."""

    list_display = ("title", "state_words", "outcome", "who", "took", "operation_words", "source", "why")
    list_display_links = ("title",)
    list_filter = (
        "state",
        "action",
        "kind",
        "operation",
        "source",
        ("created_at", DayFilter),
        PeriodFilter,
        PersonFilter,
        TouchedFilter,
        ScheduleFilter,
    )
    view_page = "jobs"
    list_before_template = "mobjects/sync/jobs/_above.html"
    search_fields = ("username", "reason")
    search_help_text = gettext_lazy("User, reason, job number, error text, or a record's name, key, Marketo ID or GUID")

    def get_queryset(self, request: HttpRequest) -> QuerySet[SyncJob]:
        # A selection may hold a hundred thousand ids.
        return super().get_queryset(request).defer("selection", "progress")  # type: ignore[no-any-return]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        above = {"list_query": request.GET.urlencode(), "reached": REACH}
        return super().changelist_view(request, {**(extra_context or {}), **above})

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[SyncJob], search_term: str
    ) -> tuple[QuerySet[SyncJob], bool]:
        term = search_term.replace("\0", "").strip()
        if not term:
            return queryset, False
        own = Q(username__icontains=term) | Q(reason__icontains=term) | Q(pk__istartswith=term)
        own |= Q(problem_text__icontains=term)
        return queryset.filter(own | jobs_touching(term)), False

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            pk = UUID(object_id)
        except ValueError as error:
            raise Http404 from error
        return job_page(request, pk)

    @admin.display(description=gettext_lazy("Job"), ordering="created_at")
    def title(self, job: SyncJob) -> str:
        """What it is called."""
        return job_title(job)

    @admin.display(description=_("Took"), empty_value="-")
    def took(self, job: SyncJob) -> str | None:
        """From start to finish."""
        return vocabulary.format_duration(job.duration) or None

    @admin.display(description=_("Operation"), ordering="operation")
    def operation_words(self, job: SyncJob) -> str:
        """The operation by which it sends."""
        return operation_text(job) or "-"

    @admin.display(description=gettext_lazy("Outcome"))
    def outcome(self, job: SyncJob) -> SafeString | str:
        """A bar, and counts per status, each a link to its records; a line breaks only between them."""
        parts = {"parts": build_bar(job), "width": WIDTH}
        return format_html("{}{}", render_to_string("mobjects/_bar.html", parts), job_outcome(job))


@admin.register(SyncBatch)
class SyncBatchAdmin(ReadOnlyAdmin):
    """Calls to Marketo; a batch's own page is :func:`mobjects.views.sync.batch_detail.batch_page`."""

    list_display = ("created", "state_words", "number", "kind", "operation", "size", "http_status", "fault")
    list_display_links = ("created",)
    list_filter = ("state", "kind", "operation", ("created_at", DayFilter))
    search_fields = ("fault_code", "fault_text")
    ordering = ("-pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[SyncBatch]:
        return super().get_queryset(request).defer(*PAYLOAD_FIELDS)  # type: ignore[no-any-return]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        # ``?request__contains=`` would tell by the rows it finds what only some may read.
        return lookup.partition("__")[0] not in PAYLOAD_FIELDS and super().lookup_allowed(lookup, value, request)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        return batch_page(request, parse_id_or_404(object_id))

    @admin.display(description=_("Batch"), ordering="sequence")
    def number(self, batch: SyncBatch) -> str:
        """Its number in its job, and which attempt it is."""
        return str(batch)

    @admin.display(description=_("Fault"))
    def fault(self, batch: SyncBatch) -> SafeString | str:
        """Marketo's code and text, cut to a line."""
        return truncate_text(f"{batch.fault_code} {translate_kept(batch.fault_text)}".strip())


@admin.register(SyncResult)
class SyncResultAdmin(ReadOnlyAdmin):
    """What became of records over all jobs. Both pages are our own: a list of a million rows is not to be counted."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return results_page(request)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        return result_page(request, parse_id_or_404(object_id))


def truncate_text(text: str) -> SafeString | str:
    """A text cut to a line, with all of it on hover."""
    if len(text) <= CUT:
        return text
    return format_html('<span title="{}">{}…</span>', text, text[:CUT])


def parse_id_or_404(text: str) -> int:
    """The id in an address. Raises Http404 if it can be none."""
    if (found := id_in(text)) is None:
        raise Http404
    return found
