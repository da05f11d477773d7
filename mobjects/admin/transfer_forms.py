"""Forms of the import pages: the upload, and what the preview hands on to the import."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile, UploadedFile
from import_export.forms import ConfirmImportForm
from unfold.contrib.import_export.forms import ImportForm
from unfold.widgets import INPUT_CLASSES, UnfoldAdminSelectWidget

from mobjects.resources.formats import EXTENSIONS, FORMATS, CsvFormat, format_of
from mobjects.tabular import BROWSER_LIMITS, ENCODINGS, FileRefused, decode


class UploadForm(ImportForm):
    """A file and, if it has to be said, its encoding. The file's name tells the format."""

    encoding = forms.ChoiceField(
        choices=list(ENCODINGS.items()),
        required=False,
        initial="auto",
        widget=UnfoldAdminSelectWidget,
        help_text="Of a CSV file. Choose one if an upload is refused because of its encoding.",
    )
    field_order = ("resource", "import_file", "encoding", "format")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["format"].required = False
        self.fields["format"].widget = forms.HiddenInput()
        # Unfold's own widget hides the file input, and with it the focus of the keyboard.
        self.fields["import_file"].widget = forms.FileInput(
            attrs={"class": " ".join(INPUT_CLASSES), "accept": ",".join(EXTENSIONS)}
        )
        self.fields["import_file"].help_text = (
            f"CSV or XLSX, up to {BROWSER_LIMITS.size / 1e6:g} MB and {BROWSER_LIMITS.rows:,} rows. "
            "Larger files: manage.py import_mobjects."
        )

    def clean(self) -> dict[str, Any]:
        """Settle the format and bring CSV to UTF-8, so that the following steps have nothing to guess."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        upload = cleaned.get("import_file")
        if upload is None:
            return cleaned
        try:
            file_format = format_of(upload.name)
            BROWSER_LIMITS.check_size(upload.size)
            if file_format is CsvFormat:
                cleaned["import_file"] = _as_utf8(upload, cleaned.get("encoding") or "auto")
        except FileRefused as error:
            self.add_error("import_file", str(error))
        else:
            cleaned["format"] = str(FORMATS.index(file_format))
        return cleaned


def _as_utf8(upload: UploadedFile, encoding: str) -> SimpleUploadedFile:
    text = decode(upload.read(), encoding)
    return SimpleUploadedFile(str(upload.name), text.removeprefix("\ufeff").encode("utf-8-sig"))


class ConfirmForm(ConfirmImportForm):
    """Names the stored upload; takes only names that the storage gave."""

    import_file_name = forms.RegexField(r"^[0-9a-f]{32}\Z", widget=forms.HiddenInput)
    format = forms.ChoiceField(choices=[(str(index), index) for index in range(len(FORMATS))], widget=forms.HiddenInput)
