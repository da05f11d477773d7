"""Sync history in the admin: lists of jobs, batches and results. Nobody can change any of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

from mobjects.admin.list_filters import DayFilter, PersonFilter
from mobjects.models import SyncBatch, SyncJob, SyncJobAction, SyncResult
from mobjects.presentation import job_text
from mobjects.presentation.badges import state_badge
from mobjects.presentation.count_links import job_outcome
from mobjects.selectors import PAYLOAD_FIELDS, id_in
from mobjects.views.keyset import KeysetChangeList
from mobjects.views.sync.batch_detail import batch_page
from mobjects.views.sync.job_detail import job_page

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

    @admin.display(description="Started", ordering="created_at")
    def created(self, row: Any) -> SafeString | str:
        """When the row was written."""
        return job_text.render_time(row.created_at)

    @admin.display(description="Asked for", ordering="created_at")
    def asked(self, row: Any) -> SafeString | str:
        """When somebody pressed the button."""
        return job_text.render_time(row.created_at)

    @admin.display(description="State", ordering="state")
    def state_words(self, row: Any) -> SafeString:
        """The state, in words."""
        return state_badge(row)

    @admin.display(description="By", ordering="username", empty_value="-")
    def who(self, row: Any) -> str | None:
        """The user's name as it was then."""
        return row.username or None

    @admin.display(description="Reason")
    def why(self, row: Any) -> SafeString | str:
        """The reason given, cut to a line."""
        return truncate_text(row.reason)


@admin.register(SyncJob)
class SyncJobAdmin(ReadOnlyAdmin):
    """The sync history; a job's own page is :func:`mobjects.views.sync.job_detail.job_page`."""

    list_display = ("asked", "state_words", "what", "who", "took", "operation_words", "outcome", "source", "why")
    list_display_links = ("asked",)
    list_filter = ("state", "action", "kind", "operation", "source", ("created_at", DayFilter), PersonFilter)
    search_fields = ("username", "reason")
    search_help_text = "User, reason, job number, or a record's name, Marketo ID or GUID"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[SyncJob], search_term: str
    ) -> tuple[QuerySet[SyncJob], bool]:
        term = search_term.replace("\0", "").strip()
        if not term:
            return queryset, False
        touched = Q(label__icontains=term)
        if (marketo_id := id_in(term, digits=9)) is not None:
            touched |= Q(marketo_id=marketo_id)
        touched |= Q(marketo_guid=term.lower())
        own = Q(username__icontains=term) | Q(reason__icontains=term) | Q(pk__istartswith=term)
        return queryset.filter(own | Q(pk__in=SyncResult.objects.filter(touched).order_by().values("job"))), False

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return job_page(request, UUID(object_id))
        except ValueError as error:
            raise Http404 from error

    @admin.display(description="What", ordering="action")
    def what(self, job: SyncJob) -> str:
        """What it does, to which kind."""
        return job_text.job_action_text(job)

    @admin.display(description="Took", empty_value="-")
    def took(self, job: SyncJob) -> str | None:
        """From start to finish."""
        return job_text.format_duration(job.duration) or None

    @admin.display(description="Operation", ordering="operation")
    def operation_words(self, job: SyncJob) -> str:
        """The operation that was asked for."""
        return job_text.operation_text(job.operation) if job.action == SyncJobAction.SEND else "-"

    @admin.display(description="Outcome")
    def outcome(self, job: SyncJob) -> SafeString | str:
        """Counts per status, each a link to its records; a line breaks only between them."""
        return job_outcome(job)


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

    @admin.display(description="Batch", ordering="sequence")
    def number(self, batch: SyncBatch) -> str:
        """Its number in its job, and which attempt it is."""
        return str(batch)

    @admin.display(description="Fault")
    def fault(self, batch: SyncBatch) -> SafeString | str:
        """Marketo's code and text, cut to a line."""
        return truncate_text(f"{batch.fault_code} {batch.fault_text}".strip())


@admin.register(SyncResult)
class SyncResultAdmin(ReadOnlyAdmin):
    """What became of records, over all jobs; a row leads to its record's history."""

    list_display = ("label", "kind", "status_words", "marketo_id", "marketo_guid", "short_error", "created", "job_link")
    list_filter = ("status", "kind", ("created_at", DayFilter))
    search_fields = ("label", "=marketo_id", "=marketo_guid")
    ordering = ("-pk",)
    list_select_related = ("job",)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        result = get_object_or_404(SyncResult, pk=parse_id_or_404(object_id))
        return redirect("mobjects:record-history", result.kind, result.record_id)

    @admin.display(description="Status", ordering="status")
    def status_words(self, result: SyncResult) -> SafeString:
        """The status, in words."""
        return state_badge(result)

    @admin.display(description="Error")
    def short_error(self, result: SyncResult) -> SafeString | str:
        """Marketo's reason, cut to a line."""
        return truncate_text(result.error)

    @admin.display(description="Job", ordering="job")
    def job_link(self, result: SyncResult) -> SafeString:
        """A link to the job."""
        url = reverse("admin:mobjects_syncjob_change", args=[result.job_id])
        return format_html('<a href="{}">{}</a>', url, str(result.job_id)[:8])


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
