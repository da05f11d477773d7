"""What a person has to decide, as a list; open first. The page of one is in :mod:`mobjects.views.sync.conflicts`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from mobjects.admin.sync_history import ReadOnlyAdmin, parse_id_or_404
from mobjects.kept_text import translate_kept
from mobjects.models import Conflict
from mobjects.presentation.badges import render_badge
from mobjects.presentation.job_text import render_time
from mobjects.views.sync.conflicts import conflict_page


class DecisionFilter(admin.SimpleListFilter):
    """What is still to be decided, unless something else is asked for."""

    title = _("decision")
    parameter_name = "decision"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("open", gettext("To decide")),
            ("left", gettext("Left")),
            ("decided", gettext("Decided")),
            ("all", gettext("All")),
        ]

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Without "All" of its own, which would mean "to decide"."""
        for value, words in self.lookup_choices:
            link = changelist.get_query_string({self.parameter_name: value})
            yield {"selected": (self.value() or "open") == value, "query_string": link, "display": words}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Conflict]) -> QuerySet[Conflict]:
        unaccepted = queryset.filter(decided_at__isnull=True)
        chosen = {
            "left": unaccepted.exclude(answer=""),
            "decided": queryset.filter(decided_at__isnull=False),
            "all": queryset,
        }
        return chosen.get(self.value() or "", unaccepted.filter(answer=""))


@admin.register(Conflict)
class ConflictAdmin(ReadOnlyAdmin):
    """Records about which a person has to decide, and what was decided."""

    list_display = ("record", "kind", "why", "found", "decision", "who", "outcome")
    list_filter = (DecisionFilter, "kind", "reason")
    search_fields = ("label",)
    list_before_template = "mobjects/decisions/_above.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {**(extra_context or {}), "title": gettext("To decide")}
        return super().changelist_view(request, context)  # type: ignore[no-any-return]

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        return conflict_page(request, parse_id_or_404(object_id))

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """What has waited longest comes first; of what was decided, the newest."""
        waits = request.GET.get(DecisionFilter.parameter_name) not in ("decided", "all")
        return ("created_at", "pk") if waits else ("-created_at", "-pk")

    @admin.display(description=_("Record"), ordering="label")
    def record(self, conflict: Conflict) -> str:
        """The record's name when it was found."""
        return conflict.shown_label

    @admin.display(description=_("Why"), ordering="reason")
    def why(self, conflict: Conflict) -> str:
        """Why it cannot be decided without a person."""
        return conflict.get_reason_display()

    @admin.display(description=_("Since"), ordering="created_at")
    def found(self, conflict: Conflict) -> SafeString | str:
        """When it was found."""
        return render_time(conflict.created_at)

    @admin.display(description=_("Decision"), ordering="decided_at")
    def decision(self, conflict: Conflict) -> SafeString:
        """Whether it was decided, in words."""
        if conflict.decided_at is not None:
            return render_badge(gettext("Decided"), "success")
        return (
            render_badge(gettext("Left"), "neutral")
            if conflict.answer
            else render_badge(gettext("To decide"), "warning")
        )

    @admin.display(description=_("Outcome"), empty_value="-")
    def outcome(self, conflict: Conflict) -> str | None:
        """What was decided last."""
        return translate_kept(conflict.answer_text.splitlines()[-1]) if conflict.answer_text else None
