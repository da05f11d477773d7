"""Deletions and edits of many records as lists. Their pages are in :mod:`mobjects.views`."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from mobjects.admin.lists.filters import DayFilter, PersonFilter
from mobjects.admin.sync_history import ReadOnlyAdmin, parse_id_or_404
from mobjects.models import BulkDeletion, BulkDeletionState, BulkEdit, BulkEditState
from mobjects.permissions import RECORD_MODELS
from mobjects.presentation.badges import render_badge
from mobjects.removals.chunks import model_of_deletion
from mobjects.views.bulk_edits.sentences import describe_change

TONES: dict[str, str] = {
    BulkDeletionState.HELD: "warning",
    BulkDeletionState.DELETING: "info",
    BulkDeletionState.DELETED: "success",
    BulkDeletionState.UNDOING: "info",
    BulkDeletionState.UNDONE: "neutral",
}


@admin.register(BulkDeletion)
class BulkDeletionAdmin(ReadOnlyAdmin):
    """What was deleted, for those who may delete; each leads to its page, where it can be undone."""

    list_display = ("asked", "state_words", "what", "filters", "deleted_count", "who")
    list_display_links = ("asked",)
    list_filter = ("state", ("created_at", DayFilter), PersonFilter)
    search_fields = ("username", "filters")

    def get_queryset(self, request: HttpRequest) -> QuerySet[BulkDeletion]:
        confirmed = super().get_queryset(request).exclude(state=BulkDeletionState.ASKED)
        return confirmed.defer("records")  # type: ignore[no-any-return]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return any(request.user.has_perm(f"mobjects.delete_{name}") for name in RECORD_MODELS)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        return redirect("mobjects:deletion", parse_id_or_404(object_id))

    @admin.display(description=_("State"), ordering="state")
    def state_words(self, row: BulkDeletion) -> SafeString:
        """The state, in words."""
        return render_badge(row.get_state_display(), TONES[row.state])

    @admin.display(description=_("What"), ordering="model")
    def what(self, row: BulkDeletion) -> str:
        """Which kind of records."""
        return str(model_of_deletion(row)._meta.verbose_name_plural).capitalize()

    @admin.display(description=_("Deleted"))
    def deleted_count(self, row: BulkDeletion) -> str:
        """How many were deleted, and how many of them came back."""
        restored = row.undone.get("restored", 0)
        return f"{row.counts.get('deleted', 0):,}" + (
            gettext(", %(restored)s rows brought back") % {"restored": f"{restored:,}"} if restored else ""
        )


EDIT_TONES: dict[str, str] = {
    BulkEditState.HELD: "warning",
    BulkEditState.APPLYING: "info",
    BulkEditState.APPLIED: "success",
    BulkEditState.UNDOING: "info",
    BulkEditState.UNDONE: "neutral",
}


@admin.register(BulkEdit)
class BulkEditAdmin(ReadOnlyAdmin):
    """What was changed for many records at once; each leads to its page, where it can be undone."""

    list_display = ("asked", "edit_state", "change_words", "filters", "undone_count", "who")
    list_display_links = ("asked",)
    list_filter = ("state", ("created_at", DayFilter), PersonFilter)
    search_fields = ("username", "filters")

    def get_queryset(self, request: HttpRequest) -> QuerySet[BulkEdit]:
        confirmed = super().get_queryset(request).filter(state__in=EDIT_TONES)
        return confirmed.defer("records", "items")  # type: ignore[no-any-return]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return any(request.user.has_perm(f"mobjects.change_{name}") for name in RECORD_MODELS)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        return redirect("mobjects:bulk-edit", parse_id_or_404(object_id))

    @admin.display(description=_("State"), ordering="state")
    def edit_state(self, row: BulkEdit) -> SafeString:
        """The state, in words."""
        return render_badge(row.get_state_display(), EDIT_TONES[row.state])

    @admin.display(description=_("What"), ordering="model")
    def change_words(self, row: BulkEdit) -> str:
        """What was done, and to how many."""
        return describe_change(row, row.counts.get("written", row.counts["changed"]))

    @admin.display(description=_("Undone"))
    def undone_count(self, row: BulkEdit) -> str:
        """How many are as before."""
        return f"{row.undone['restored']:,}" if row.undone else ""
