"""Approval rules, and what waits for approval as a list. Its page is in :mod:`mobjects.views.approvals`."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.formats import number_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from mobjects.admin.lists.filters import DayFilter, PersonFilter
from mobjects.admin.sync_history import ReadOnlyAdmin, parse_id_or_404
from mobjects.models import Approval, ApprovalRule, ApprovalState
from mobjects.presentation.badges import render_badge
from mobjects.presentation.job_text import render_time
from mobjects.views.approvals.pages import TONES
from mobjects.views.approvals.sentences import rule_text


@admin.register(ApprovalRule)
class ApprovalRuleAdmin(ModelAdmin):
    """Which work waits until another person approves it. The admin's log tells who changed a rule."""

    list_display = ("name", "enabled", "work", "kind", "operation", "more_than", "amount_over")
    list_filter = ("enabled", "work", "kind")
    search_fields = ("name",)
    warn_unsaved_form = True
    fieldsets = (
        (None, {"fields": ("name", "enabled")}),
        (_("Which work"), {"fields": ("work", "kind", "operation")}),
        (
            _("Only if all of this is true"),
            {"fields": ("more_than", "amount_over", "creates", "deletes", "loses_tags")},
        ),
        (_("Until when"), {"fields": ("expires_after",)}),
    )


@admin.register(Approval)
class ApprovalAdmin(ReadOnlyAdmin):
    """What waits or waited for approval; each leads to its page."""

    list_display = ("asked", "state_words", "what", "records", "who", "until", "decided_by")
    list_display_links = ("asked",)
    list_filter = ("state", "work", ("created_at", DayFilter), PersonFilter)
    search_fields = ("username", "decided_by", "rule_name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Approval]:
        return super().get_queryset(request).defer("asked_selection")  # type: ignore[no-any-return]

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        return redirect("mobjects:approval", parse_id_or_404(object_id))

    @admin.display(description=_("State"), ordering="state")
    def state_words(self, row: Approval) -> SafeString:
        """The state, in words."""
        return render_badge(row.get_state_display(), TONES[ApprovalState(row.state)])

    @admin.display(description=_("Rule"))
    def what(self, row: Approval) -> str:
        """Which rule holds it, and why."""
        return rule_text(row)

    @admin.display(description=_("Records"), ordering="count")
    def records(self, row: Approval) -> str:
        """How many it is about."""
        return number_format(row.count, force_grouping=True)

    @admin.display(description=_("Until"), ordering="expires_at")
    def until(self, row: Approval) -> SafeString | str:
        """When it expires."""
        return render_time(row.expires_at)
