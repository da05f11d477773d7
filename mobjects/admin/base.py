"""What the admin pages of all synced records share: state column and filter, sync actions, sync panel."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db import models, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import UnfoldAdminDateWidget, UnfoldAdminSplitDateTimeWidget, UnfoldAdminTextInputWidget

from mobjects import selectors
from mobjects.admin.lists.filters import GapFilter, ImportFilter
from mobjects.admin.lists.narrowing import ConditionFilter, NarrowedAdmin
from mobjects.admin.sync_history import truncate_text
from mobjects.figures.attention import HELD, find_holding_jobs, is_held_still
from mobjects.forms.merging import MergingForm
from mobjects.forms.records.fields import TYPED, AttributeField, ZonedDateTimeField
from mobjects.kept_text import translate_kept
from mobjects.marketo import attributes
from mobjects.marketo.types import DataType
from mobjects.models import Kind, RecordState, RecordStatus, SyncedRecord
from mobjects.models.synced_record import UNDER_WAY, RecordUnderWay, describe_under_way
from mobjects.presentation.badges import record_state_badge
from mobjects.presentation.job_text import render_time
from mobjects.presentation.sync_panel import build_sync_panel
from mobjects.views.base import may_see_kind
from mobjects.views.marketo.delete import confirm_delete
from mobjects.views.marketo.pull import confirm_compare, confirm_pull
from mobjects.views.sync.confirm import confirm_selection
from mobjects.views.sync.saved_record import send_saved

BUSY_SHOWN = 20
"""So many records that cannot be deleted now are named."""

SYNC_COLUMNS = ("state_words", "short_error", "synced_at")
"""How a record stands, behind the columns of the business and before the numbers."""


class StateFilter(admin.SimpleListFilter):
    """Filter by sync state."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        states = [(each.value, str(each.label)) for each in RecordState]
        return [*states, ("unsent", gettext("Anything not synced")), (HELD, gettext("Held back, and as it was then"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "unsent":
            return queryset.dirty()  # type: ignore[attr-defined,no-any-return]
        if self.value() == HELD:
            return queryset.filter(is_held_still(queryset.model.KIND, find_holding_jobs()))
        return queryset.filter(state=self.value()) if self.value() else queryset


class SyncedAdmin(NarrowedAdmin):
    """Base of the admin pages of programs, opportunities and roles."""

    form = MergingForm
    attributes: tuple[attributes.MarketoAttribute, ...] = ()
    list_per_page = 50
    list_filter = (ConditionFilter, StateFilter, "last_status", ImportFilter, GapFilter)
    show_full_result_count = False
    actions = (
        "edit_selected",
        "sync_selected",
        "pull_selected",
        "compare_selected",
        "delete_in_marketo",
        "delete_selected",
    )
    actions_list = ("sync_all_changed", "choose_by_list")
    actions_submit_line = ("save_and_sync",)
    change_form_outer_before_template = "mobjects/sync/record/sync_panel.html"
    warn_unsaved_form = True

    class Media:
        css: ClassVar[dict[str, tuple[str, ...]]] = {"all": ("mobjects/records.css",)}

    def has_sync_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Whether the user may send records to Marketo."""
        return request.user.has_perm("mobjects.sync_records")

    def has_pull_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Whether the user may read records from Marketo."""
        return request.user.has_perm("mobjects.pull_records")

    def has_delete_in_marketo_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Whether the user may delete such records in Marketo, whose API cannot delete programs."""
        return self.model.KIND is not Kind.PROGRAM and request.user.has_perm("mobjects.delete_in_marketo")

    # --- columns ---

    @admin.display(description=_("State"), ordering="state")
    def state_words(self, record: SyncedRecord) -> SafeString:
        """The state in words."""
        return record_state_badge(record.state)

    @admin.display(description=_("Last error"))
    def short_error(self, record: SyncedRecord) -> SafeString | str:
        """The last error, cut to a line; all of it on hover and on the record's page. It goes with its cause."""
        stands = record.refusal_stands or record.last_status == RecordStatus.UNKNOWN
        return truncate_text(translate_kept(record.last_error) if stands else "")

    @admin.display(description=_("Last synced"), ordering="last_synced_at")
    def synced_at(self, record: SyncedRecord) -> SafeString | str:
        """When Marketo last accepted the record."""
        return render_time(record.last_synced_at)

    # --- sync ---

    @admin.action(description=_("Sync selected to Marketo…"), permissions=["sync"])
    def sync_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        """Show what would be sent of the selection, and ask."""
        return confirm_selection(request, self.model.KIND, _ids(queryset))

    @admin.action(description=_("Pull selected from Marketo…"), permissions=["pull"])
    def pull_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        """Say what reading the selection again does, and ask."""
        return confirm_pull(request, self.model.KIND, _ids(queryset))

    @admin.action(description=_("Compare selected with Marketo…"), permissions=["pull"])
    def compare_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        """Say what comparing the selection does, and ask."""
        return confirm_compare(request, self.model.KIND, _ids(queryset))

    @admin.action(description=_("Delete in Marketo…"), permissions=["delete_in_marketo"])
    def delete_in_marketo(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        """Say what deleting the selection in Marketo does, and ask."""
        return confirm_delete(request, self.model.KIND, _ids(queryset))

    @action(description=_("Sync all changed…"), permissions=["sync"], url_path="sync-all-changed")
    def sync_all_changed(self, request: HttpRequest) -> HttpResponse:
        """Show what would be sent of everything that changed, and ask."""
        return redirect(f"{reverse('mobjects:sync')}?kind={self.model.KIND.value}")

    @action(description=_("Choose by a list…"), url_path="choose-by-list")
    def choose_by_list(self, request: HttpRequest) -> HttpResponse:
        """Ask which records are meant by what they are called."""
        return redirect(f"{reverse('mobjects:named-records')}?kind={self.model.KIND.value}")

    @action(description=_("Save and sync"), permissions=["sync"])
    def save_and_sync(self, request: HttpRequest, obj: Any) -> None:
        """The button; the job is made in :meth:`response_change`, once the child rows are saved too."""

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        button = f"{self.opts.app_label}_{self.opts.model_name}_save_and_sync"
        if button not in request.POST or not self.has_sync_permission(request):
            return super().response_change(request, obj)  # type: ignore[no-any-return]
        return send_saved(request, obj)

    # --- change page ---

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A Marketo ID or GUID is Marketo's to give; it can be entered only with a new record."""
        own = {field.name for field in self.model._meta.concrete_fields}
        given = [name for name in ("marketo_id", "marketo_guid") if obj and name in own]
        return (*super().get_readonly_fields(request, obj), *given)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        record = context["original"]
        if record and "sync_panel" not in context:
            # As it is kept: a form that was refused has left its values on the record.
            kept = record if request.method == "GET" else self.model.objects.get(pk=record.pk)
            page, may_pull = request.GET.get("differences"), self.has_pull_permission(request)
            may_see = may_see_kind(request, kept.KIND)
            context["sync_panel"] = build_sync_panel(kept, may_pull=may_pull, may_see=may_see, page=page)
        return super().render_change_form(request, context, *args, **kwargs)

    def formfield_for_dbfield(self, db_field: models.Field[Any, Any], request: Any, **kwargs: Any) -> Any:
        attribute = {entry.field_name: entry for entry in self.attributes}.get(db_field.name)
        if attribute is None:
            return super().formfield_for_dbfield(db_field, request, **kwargs)
        note = gettext("%(name)s in Marketo.") % {"name": attribute.name}
        if db_field.help_text:
            note = f"{note} {db_field.help_text}"
        said: dict[str, Any] = {"label": gettext(attribute.label), "help_text": note}
        if attribute.type is DataType.DATETIME:
            said["help_text"] = f"{note} " + gettext("In your time zone, %(zone)s.") % {
                "zone": timezone.get_current_timezone_name()
            }
            said["widget"] = UnfoldAdminSplitDateTimeWidget
            return ZonedDateTimeField(required=not db_field.blank, **said)
        if attribute.type not in TYPED:
            return super().formfield_for_dbfield(db_field, request, **kwargs, **said)
        widget = UnfoldAdminDateWidget if attribute.type is DataType.DATE else UnfoldAdminTextInputWidget
        return AttributeField(attribute=attribute, required=not db_field.blank, widget=widget, **said)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """All that became of the record; with ``log`` in the address Django's own log, which keeps no values."""
        number = selectors.id_in(object_id)
        if "log" in request.GET or number is None:
            return super().history_view(request, object_id, extra_context)  # type: ignore[no-any-return]
        return redirect("mobjects:record-history", self.model.KIND.value, number)

    # --- deleting ---

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """As Django's, with the records that cannot be deleted now among the protected ones, in words."""
        listed, counts, lacking, protected = super().get_deleted_objects(objs, request)
        found = self.model.objects.filter(pk__in=[each.pk for each in objs])
        busy = [each for part in (found, *found.deleted_with_them()) for each in part.filter(UNDER_WAY)[:BUSY_SHOWN]]
        return listed, counts, lacking, [*protected, *map(describe_under_way, busy)]

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        try:
            return super().delete_view(request, object_id, extra_context)
        except RecordUnderWay as error:  # Since the page was shown.
            messages.error(request, gettext("Nothing was deleted. %(error)s") % {"error": error})
            return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", object_id)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        if self.has_change_permission(request):
            extra_context = {**(extra_context or {}), "grid_url": reverse("mobjects:grid", args=[self.opts.model_name])}
        try:
            # What an action noted in the log before it was refused is rolled back.
            with transaction.atomic() if request.method == "POST" else nullcontext():
                return super().changelist_view(request, extra_context)
        except RecordUnderWay as error:
            messages.error(request, gettext("Nothing was deleted. %(error)s") % {"error": error})
            return redirect(request.get_full_path())

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        messages.info(request, LOCAL_ONLY)


def _ids(queryset: QuerySet[Any]) -> list[int]:
    return list(queryset.order_by("pk").values_list("pk", flat=True))


LOCAL_ONLY = _("Deleted here only. Nothing was deleted in Marketo.")
