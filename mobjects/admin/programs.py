"""Programs with their period costs and tags."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.mixins import BaseModelAdminMixin

from mobjects.admin.base import SYNC_COLUMNS, SyncedAdmin
from mobjects.admin.guarded import GuardedAdmin
from mobjects.admin.lists.filters import GapFilter, ImportFilter, TypeFilter
from mobjects.forms.merging import MergingForm
from mobjects.forms.merging_rows import MergingFormSet
from mobjects.forms.records.programs import CostForm, ProgramForm, TagForm, TagFormSet
from mobjects.models import AllowedValues, Kind, Program, ProgramCost, ProgramTag
from mobjects.resources.programs import ProgramCostResource, ProgramResource, ProgramTagResource


def allowed_values_of(request: HttpRequest) -> AllowedValues:
    """What Marketo knows, read once for a page however many parts of it ask."""
    kept: AllowedValues | None = getattr(request, "_allowed_values", None)
    if kept is None:
        kept = request._allowed_values = AllowedValues()  # type: ignore[attr-defined]
    return kept


class ChildInline(TabularInline):
    """Rows that belong to a program and go out with it."""

    extra = 0
    per_page = 25
    form = MergingForm
    formset = MergingFormSet
    readonly_fields = ("in_marketo",)

    def formfield_for_dbfield(self, db_field: models.Field[Any, Any], request: Any, **kwargs: Any) -> Any:
        """The columns' headings label no input for a screen reader; the inputs say it themselves."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            field.widget.attrs["aria-label"] = str(db_field.verbose_name).capitalize()
        return field

    @admin.display(description=_("In Marketo"))
    def in_marketo(self, row: Any) -> str:
        """Whether Marketo has accepted the row as it is now."""
        if row.pk is None:
            return gettext("New")
        accepted = row.program.accepted.get(row.content_key)
        if accepted is None:
            return gettext("Not sent yet")
        now = row.content_text if isinstance(row, ProgramCost) else row.value
        return gettext("Accepted") if accepted == now else gettext("Changed")


class CostInline(ChildInline):
    """Period costs on the program's page."""

    model = ProgramCost
    form = CostForm
    fields = ("month", "amount", "note", "marketo_cost_id", "in_marketo")


class SuggestingInputs(BaseModelAdminMixin):
    """Inputs that offer the values of the lists in templates/mobjects/marketo/metadata/suggestions.html."""

    LISTS: ClassVar[dict[str, str]] = {"type": "mo-tag-types", "value": "mo-tag-values"}
    """The lists' ids, by the names of fields."""

    def formfield_for_dbfield(self, db_field: models.Field[Any, Any], request: Any, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name in self.LISTS:
            field.widget.attrs["list"] = self.LISTS[db_field.name]
        return field


class TagInline(SuggestingInputs, ChildInline):
    """Tags on the program's page."""

    model = ProgramTag
    formset = TagFormSet
    fields = ("type", "value", "in_marketo")

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        # An inline lives no longer than a request.
        self.allowed_values = allowed_values_of(request)
        return super().get_formset(request, obj, **kwargs)

    @admin.display(description=_("In Marketo"))
    def in_marketo(self, row: Any) -> str:
        """Whether Marketo has accepted the tag as it is now, or why it would not, or may not."""
        said = super().in_marketo(row)
        known = self.allowed_values
        problem = known.find_problem(row.type, row.value) or known.find_doubt(row.type, row.value) if row.pk else ""
        return f"{said}. {problem}" if problem else said


class TagSuggestionAdmin(ModelAdmin):
    """A page whose inputs for channels and tags offer what Marketo knows."""

    change_form_outer_after_template = "mobjects/marketo/metadata/suggestions.html"

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        return super().render_change_form(request, {**context, "allowed": allowed_values_of(request)}, *args, **kwargs)


@admin.register(Program)
class ProgramAdmin(SuggestingInputs, TagSuggestionAdmin, SyncedAdmin):
    """Programs: costs, tags and channel are sent; the rest is for reference."""

    LISTS: ClassVar[dict[str, str]] = {"channel": "mo-channels"}
    view_page = "programs"
    resource_classes = (ProgramResource,)
    list_display = ("name", "type", "channel", "workspace", *SYNC_COLUMNS, "marketo_id")
    search_fields = ("name",)
    ordering = ("name", "pk")
    form = ProgramForm
    inlines = (CostInline, TagInline)
    fieldsets = (
        (None, {"fields": ("marketo_id", "name", "channel")}),
        (_("For reference"), {"fields": (("type", "workspace"),)}),
    )

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.read_allowed = staticmethod(partial(allowed_values_of, request))
        return form

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        # Noted before they are deleted and lose the key they were accepted under.
        accepted = form.instance.accepted
        removed = [deleted.instance for deleted in formset.deleted_forms if deleted.instance.pk]
        kept = [str(row) for row in removed if row.content_key in accepted]
        super().save_formset(request, form, formset, change)
        if kept:
            messages.warning(
                request,
                gettext(
                    "Removed here only: %(kept)s. Marketo's API cannot remove costs or tags; remove it in "
                    "Marketo as well."
                )
                % {"kept": ", ".join(kept)},
            )


class ChildAdmin(GuardedAdmin):
    """A list of one sort of program rows, for searching and bulk import; sent with their programs."""

    list_per_page = 50
    list_select_related = ("program",)
    show_full_result_count = False
    autocomplete_fields = ("program",)
    actions: tuple[str, ...] = ("delete_selected",)
    owner_kind = Kind.PROGRAM

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """The program's: its edits keep those of its costs and tags."""
        row = self.get_object(request, object_id)
        if row is None:
            return super().history_view(request, object_id, extra_context)  # type: ignore[no-any-return]
        return redirect("admin:mobjects_program_history", row.program_id)

    def owner_ids(self, rows: Iterable[Any]) -> set[int]:
        return {row.program_id for row in rows}

    @admin.display(description=_("Program ID"), ordering="program__marketo_id")
    def program_marketo_id(self, row: Any) -> int:
        """The program's Marketo ID."""
        return int(row.program.marketo_id)


@admin.register(ProgramCost)
class ProgramCostAdmin(ChildAdmin):
    """Period costs of all programs."""

    form = CostForm
    resource_classes = (ProgramCostResource,)
    list_display = ("program", "program_marketo_id", "month_text", "amount_text", "note", "marketo_cost_id")
    actions: tuple[str, ...] = ("edit_selected", "delete_selected")
    list_display_links = ("month_text",)
    search_fields = ("note",)
    list_filter = (ImportFilter, GapFilter)
    date_hierarchy = "month"
    fields = ("program", "month", "amount", "note", "marketo_cost_id")

    @admin.display(description=_("Month"), ordering="month")
    def month_text(self, cost: ProgramCost) -> str:
        """The month as YYYY-MM."""
        return f"{cost.month:%Y-%m}"

    @admin.display(description=_("Amount"), ordering="amount")
    def amount_text(self, cost: ProgramCost) -> str:
        """The amount, ``1,234.50``."""
        return f"{cost.amount:,.2f}"


@admin.register(ProgramTag)
class ProgramTagAdmin(SuggestingInputs, TagSuggestionAdmin, ChildAdmin):
    """Tags of all programs."""

    form = TagForm
    resource_classes = (ProgramTagResource,)
    list_display = ("program", "program_marketo_id", "type", "value")
    list_display_links = ("type",)
    list_filter = (TypeFilter, ImportFilter)
    search_fields = ("type", "value")
    fields = ("program", "type", "value")
