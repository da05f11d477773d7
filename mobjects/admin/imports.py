"""Imports and downloads in the admin: lists to look at. An import's own page is
:mod:`mobjects.views.imports.detail`.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from mobjects.admin.lists.filters import DayFilter, PersonFilter
from mobjects.admin.lists.views import ListOfViews
from mobjects.admin.sync_history import ReadOnlyAdmin, parse_id_or_404, truncate_text
from mobjects.figures.attention import WAITING_IMPORT_STATES
from mobjects.models import Download, Import, PurgeKind
from mobjects.presentation.count_links import import_outcome, import_undone, import_written
from mobjects.presentation.event_text import purged_text
from mobjects.presentation.import_text import import_state_badge, outcomes_text
from mobjects.presentation.job_text import render_time
from mobjects.selectors import id_in


class WaitingFilter(admin.SimpleListFilter):
    """Filter by whether a person has to do something."""

    title = _("waits for a person")
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", gettext("Yes"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(state__in=WAITING_IMPORT_STATES) if self.value() == "yes" else queryset


@admin.register(Import)
class ImportAdmin(ListOfViews, ReadOnlyAdmin):
    """The import history."""

    view_page = "imports"
    list_display = ("uploaded", "state_words", "file", "kind", "rows", "outcome", "who", "source", "why")
    list_display_links = ("uploaded",)
    list_filter = (WaitingFilter, "state", "kind", "source", ("created_at", DayFilter), PersonFilter)
    search_fields = ("file_name", "username", "reason")
    search_help_text = _("File, user, reason, or the import's number")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Import]:
        return super().get_queryset(request).defer("samples", "headers", "mapping")  # type: ignore[no-any-return]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Import], search_term: str
    ) -> tuple[QuerySet[Import], bool]:
        term = search_term.replace("\0", "").strip()
        if not term:
            return queryset, False
        found = Q(file_name__icontains=term) | Q(username__icontains=term) | Q(reason__icontains=term)
        if (pk := id_in(term)) is not None:
            found |= Q(pk=pk)
        return queryset.filter(found), False

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        return redirect("mobjects:import", parse_id_or_404(object_id))

    @admin.display(description=_("Uploaded"), ordering="created_at")
    def uploaded(self, imported: Import) -> SafeString | str:
        """When the file was uploaded."""
        return render_time(imported.created_at)

    @admin.display(description=_("State"), ordering="state")
    def state_words(self, imported: Import) -> SafeString:
        """The state, in words."""
        return import_state_badge(imported)

    @admin.display(description=_("File"), ordering="file_name")
    def file(self, imported: Import) -> SafeString | str:
        """The file's name, cut to a line."""
        return truncate_text(imported.file_name)

    @admin.display(description=_("Outcome"))
    def outcome(self, imported: Import) -> SafeString | str:
        """What was found, or written, or undone."""
        if imported.undone_at:
            return import_undone(imported)
        if imported.committed_at:
            return import_written(imported)
        return import_outcome(imported) or (outcomes_text(imported.counts) if imported.counts else "-")


@admin.register(Download)
class DownloadAdmin(ReadOnlyAdmin):
    """Which files with records were taken out, by whom."""

    list_display = ("asked", "what", "kind", "format", "row_count", "narrowed", "who", "source", "of_import")
    list_display_links = None
    list_filter = ("what", "kind", "format", "source", ("created_at", DayFilter), PersonFilter)
    search_fields = ("username", "filters")
    list_select_related = ("imported",)
    list_after_template = "mobjects/_purged.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        purged = {"purged": purged_text(PurgeKind.DOWNLOADS)}
        shown: HttpResponse = super().changelist_view(request, {**(extra_context or {}), **purged})
        return shown

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        # All there is to know stands in the list.
        get_object_or_404(Download, pk=parse_id_or_404(object_id))
        return redirect("admin:mobjects_download_changelist")

    @admin.display(description=_("Rows"), ordering="rows")
    def row_count(self, download: Download) -> str:
        """How many rows it held."""
        return gettext("broken off") if download.rows is None else f"{download.rows:,}"

    @admin.display(description=_("Narrowed to"))
    def narrowed(self, download: Download) -> SafeString | str:
        """What the list was narrowed to, and to which columns."""
        columns = _columns_text(len(download.columns))
        return truncate_text("; ".join(part for part in (download.filters, columns) if part) or "-")

    @admin.display(description=_("Import"), empty_value="-")
    def of_import(self, download: Download) -> SafeString | None:
        """The import whose file it is."""
        if download.imported_id is None:
            return None
        url = reverse("mobjects:import", args=[download.imported_id])
        words = gettext("Import %(number)s") % {"number": download.imported_id}
        return format_html('<a href="{}">{}</a>', url, words)


def _columns_text(count: int) -> str:
    return ngettext("%(count)s column", "%(count)s columns", count) % {"count": count} if count else ""
