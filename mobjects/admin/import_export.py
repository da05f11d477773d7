"""Import and export on the lists of records: a way to the upload page; export of a list or a selection."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import IS_POPUP_VAR
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from import_export.admin import ExportMixin
from unfold.admin import ModelAdmin

from mobjects.db.row_counts import RowCountPaginator
from mobjects.db.text_search import search_records
from mobjects.exports.formats import FORMATS, ExportFormat
from mobjects.kept_text import translate_kept
from mobjects.resources.base import TransferResource
from mobjects.views.bulk_edits.pages import ask_and_choose
from mobjects.views.deletions import ask_and_show
from mobjects.views.exports import send_selected
from mobjects.views.imports.base import permission_name
from mobjects.views.keyset import KeysetChangeList


class TransferAdmin(ExportMixin, ModelAdmin):
    """Base of admin pages with import and export; a subclass sets ``resource_classes`` to one of our resources.

    Importing takes the permission ``import_<model>``, exporting ``export_<model>``.
    """

    actions: tuple[str, ...] = ("delete_selected",)
    paginator = RowCountPaginator
    import_export_change_list_template = "mobjects/import_export/change_list.html"

    @property
    def transfer_resource(self) -> type[TransferResource]:
        """The resource of this page."""
        resource: type[TransferResource] = self.resource_classes[0]
        return resource

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        return KeysetChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return search_records(queryset, search_term), False

    # --- import ------------------------------------------------------------------------------------------------

    def has_import_permission(self, request: HttpRequest) -> bool:
        """Whether the user may import files of this kind."""
        return request.user.has_perm(permission_name("import", self.transfer_resource.KIND))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = extra_context or {}
        if self.has_import_permission(request) and request.user.has_perm("mobjects.view_import"):
            context["import_url"] = f"{reverse('mobjects:import-new')}?kind={self.transfer_resource.KIND}"
        if self.has_export_permission(request):
            context["export_url"] = self._export_url
        return super().changelist_view(request, context)  # type: ignore[no-any-return]

    # --- changing many -----------------------------------------------------------------------------------------

    @admin.action(description=_("Edit selected…"), permissions=["change"])
    def edit_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        """Ask what is to be done to the selection; however many there are."""
        return ask_and_choose(request, self.model, queryset)

    # --- deleting many -----------------------------------------------------------------------------------------

    @admin.action(description=_("Delete selected here…"), permissions=["delete"])
    def delete_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        """Say what deleting the selection here does, and ask; however many there are."""
        return ask_and_show(request, self.model, queryset)

    # --- export ------------------------------------------------------------------------------------------------

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        if self.has_export_permission(request) and IS_POPUP_VAR not in request.GET:
            for file_format in FORMATS:
                name = f"export_{file_format.extension}"
                words = gettext("Export selected as %(upper)s") % {"upper": file_format.extension.upper()}
                actions[name] = (partial(_export_selected, file_format=file_format), name, words)
        return actions

    def export_action(self, request: HttpRequest) -> HttpResponse:
        """Lead from import-export's own address to the page that asks for format and columns."""
        query = request.META.get("QUERY_STRING", "")
        return redirect(f"{self._export_url}{f'?{query}' if query else ''}")

    @property
    def _export_url(self) -> str:
        return reverse("mobjects:export", args=[self.transfer_resource.KIND])


def _export_selected(
    admin: TransferAdmin, request: HttpRequest, queryset: QuerySet[Model], *, file_format: type[ExportFormat]
) -> HttpResponseBase | None:
    try:
        return send_selected(request, admin.model, queryset, file_format())
    except ValueError as error:
        messages.error(request, translate_kept(str(error)))
        return None
