"""Import and export on the admin pages: upload, preview, confirm; export of a list or a selection; templates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.admin.options import IS_POPUP_VAR
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from import_export.admin import ImportExportModelAdmin
from import_export.results import Result
from unfold.admin import ModelAdmin
from unfold.contrib.import_export.forms import ExportForm

from mobjects.admin.transfer_forms import ConfirmForm, UploadForm
from mobjects.admin.uploads import UploadStorage
from mobjects.models import Program, SyncedRecord
from mobjects.resources import FORMATS, Summary, TableFormat, TransferResource, summarise
from mobjects.tabular import FileRefused

SHOWN_PROBLEMS = 500
SHOWN_ROWS = 100


class TransferAdmin(ModelAdmin, ImportExportModelAdmin):
    """Base of admin pages with import and export; a subclass sets ``resource_classes`` to one of our resources.

    Importing takes the permission ``import_<model>``, exporting ``export_<model>``.
    """

    import_form_class = UploadForm
    confirm_form_class = ConfirmForm
    export_form_class = ExportForm
    import_export_change_list_template = "mobjects/transfer/change_list.html"
    import_template_name = "mobjects/transfer/import.html"
    tmp_storage_class = UploadStorage
    formats = FORMATS
    from_encoding = None

    @property
    def transfer_resource(self) -> type[TransferResource]:
        """The resource of this page."""
        resource: type[TransferResource] = self.resource_classes[0]
        return resource

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_import_template"
        view = self.admin_site.admin_view(self.import_template)
        urls: list[URLPattern] = super().get_urls()
        return [path("import/template/<slug:extension>/", view, name=name), *urls]

    # --- import ------------------------------------------------------------------------------------------------

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Take an upload and show what importing it would do."""
        response = super().import_action(request, **kwargs)
        context = response.context_data
        context["title"] = f"Import {self.opts.verbose_name_plural}"
        context["templates"] = [
            (file_format.title, self._url("import_template", file_format.extension)) for file_format in FORMATS
        ]
        if "result" in context:
            summary = summarise(context["result"])
            context |= _preview(summary)
            if not summary.ok or not summary.rows:
                context.pop("confirm_form", None)
                UploadStorage(name=context["form"].cleaned_data["import_file"].tmp_storage_name).remove()
        return response  # type: ignore[no-any-return]

    def import_template(self, request: HttpRequest, extension: str) -> HttpResponse:
        """Download a file with the headers and no rows."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        for file_format in FORMATS:
            if file_format.extension == extension:
                return _download(self.transfer_resource().template(), file_format(), self.transfer_resource.KIND)
        raise Http404

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Import the upload that the preview showed."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        if request.method == "POST" and not self.create_confirm_form(request).is_valid():
            return self._start_again(request)
        try:
            return super().process_import(request, **kwargs)  # type: ignore[no-any-return]
        except (FileNotFoundError, FileRefused):
            return self._start_again(request)

    def _start_again(self, request: HttpRequest) -> HttpResponse:
        messages.error(
            request, "That upload is gone: it was imported already, or waited for too long. Upload it again."
        )
        return redirect(self._url("import"))

    def process_result(self, result: Result, request: HttpRequest) -> HttpResponse:
        """Say what was imported, or that the records changed since the preview so that nothing was."""
        summary = summarise(result)
        if summary.ok:
            return super().process_result(result, request)  # type: ignore[no-any-return]
        reasons = [summary.refused] if summary.refused else [str(problem) for problem in summary.problems[:3]]
        messages.error(request, f"Nothing was imported. {'; '.join(reasons)}")
        return redirect(self._url("import"))

    def add_success_message(self, result: Result, request: HttpRequest) -> None:
        summary = summarise(result)
        counts = f"Imported: {summary.new} new, {summary.changed} changed, {summary.unchanged} unchanged."
        model = self.model if issubclass(self.model, SyncedRecord) else Program
        if not self.admin_site.is_registered(model):
            messages.success(request, counts)
            return
        url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist", current_app=self._site)
        messages.success(
            request,
            format_html(
                '{} <a class="underline" href="{}?state=unsent">Show all {} that are not synced</a>',
                counts,
                url,
                model._meta.verbose_name_plural,
            ),
        )

    def add_data_read_fail_error_to_form(self, form: UploadForm, e: Exception) -> None:
        UploadStorage(name=form.cleaned_data["import_file"].tmp_storage_name).remove()
        if isinstance(e, FileRefused):
            form.add_error("import_file", str(e))
        else:
            super().add_data_read_fail_error_to_form(form, e)

    # --- export ------------------------------------------------------------------------------------------------

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        if self.has_export_permission(request) and IS_POPUP_VAR not in request.GET:
            for file_format in FORMATS:
                name = f"export_{file_format.extension}"
                words = f"Export selected as {file_format.extension.upper()}"
                actions[name] = (_export_action(file_format), name, words)
        return actions

    def get_export_filename(self, request: HttpRequest, queryset: QuerySet[Any], file_format: TableFormat) -> str:
        return _filename(self.transfer_resource.KIND, file_format)

    # --- addresses ---------------------------------------------------------------------------------------------

    @property
    def _site(self) -> str:
        return str(self.admin_site.name)

    def _url(self, view: str, *args: str) -> str:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_{view}"
        return reverse(name, args=args, current_app=self._site)


def _preview(summary: Summary) -> dict[str, Any]:
    """The page's context; a bounded part of the rows, so that it stays small for any file."""
    return {
        "summary": summary,
        "problems": summary.problems[:SHOWN_PROBLEMS],
        "more_problems": len(summary.problems) - SHOWN_PROBLEMS,
        "warnings": summary.warnings[:SHOWN_ROWS],
        "more_warnings": len(summary.warnings) - SHOWN_ROWS,
        "rows": summary.rows[:SHOWN_ROWS],
        "more_rows": len(summary.rows) - SHOWN_ROWS,
    }


def _export_action(file_format: type[TableFormat]) -> Callable[[Any, HttpRequest, QuerySet[Model]], Any]:
    def export_selected(admin: TransferAdmin, request: HttpRequest, queryset: QuerySet[Model]) -> Any:
        try:
            return admin._do_file_export(file_format(), request, queryset)
        except ValueError as error:
            messages.error(request, str(error))
            return None

    return export_selected


def _download(sheet: Any, file_format: TableFormat, kind: str) -> HttpResponse:
    response = HttpResponse(file_format.export_data(sheet), content_type=file_format.get_content_type())
    response["Content-Disposition"] = f'attachment; filename="{kind}-template.{file_format.extension}"'
    return response


def _filename(kind: str, file_format: TableFormat) -> str:
    return f"{kind}-{timezone.localdate():%Y-%m-%d}.{file_format.extension}"
