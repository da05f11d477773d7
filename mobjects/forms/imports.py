"""Forms of the import pages: the upload, what the columns mean, and how the file is read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from io import BytesIO
from typing import Any, BinaryIO

from django import forms
from django.contrib.auth.models import User
from django.forms.boundfield import BoundField
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from openpyxl.utils import get_column_letter
from unfold.widgets import (
    INPUT_CLASSES,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from mobjects.forms.sync import reason_field
from mobjects.imports import service
from mobjects.imports.file_limits import MB, limits_for
from mobjects.models import Import, ImportSource
from mobjects.models.imports import FILE_KINDS
from mobjects.spreadsheets import reader
from mobjects.spreadsheets.encoding import ENCODINGS
from mobjects.spreadsheets.types import ReadOptions

TEXTS = (".csv", ".tsv", ".txt")
DELIMITERS = {",": _("Comma"), ";": _("Semicolon"), "\t": _("Tab"), "|": _("Vertical bar")}
PASTED_NAME = "pasted.tsv"
PASTED_CHARACTERS = 600_000
"""A form's text has to fit into the size that Django takes in one piece, after it was encoded."""
CONSTANTS = 5
"""Rows for columns that the file lacks."""
UNDECIDED, LEFT_OUT, COLUMN = "", "-", "="
LEAVES, CLEARS = "leave", "clear"


class UploadForm(forms.Form):
    """A file, or text pasted from a spreadsheet."""

    kind = forms.ChoiceField(label=_("What it holds"), required=False, widget=UnfoldAdminSelectWidget)
    # Unfold's own widget hides the file input, and with it the focus of the keyboard.
    file = forms.FileField(
        required=False,
        label=_("File"),
        widget=forms.FileInput(attrs={"class": " ".join(INPUT_CLASSES), "accept": ",".join(reader.EXTENSIONS)}),
    )
    pasted = forms.CharField(
        required=False,
        strip=False,
        label=_("Or paste cells"),
        max_length=PASTED_CHARACTERS,
        help_text=_("Copied from a spreadsheet, with the row of headers."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 5, "spellcheck": "false"}),
    )
    encoding = forms.ChoiceField(
        required=False,
        label=_("Encoding"),
        choices=lambda: [(name, gettext(label)) for name, label in ENCODINGS.items()],
        initial="auto",
        help_text=_("Of a CSV file. Can be changed on the next page as well."),
        widget=UnfoldAdminSelectWidget,
    )
    reason = reason_field()

    def __init__(self, kinds: Collection[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # FILE_KINDS is in the order of the lists.
        choices = [("", gettext("Its headers tell")), *((kind, name) for kind, name in FILE_KINDS if kind in kinds)]
        self.fields["kind"].choices = choices  # type: ignore[attr-defined]
        limits = limits_for(ImportSource.ADMIN)
        self.fields["file"].help_text = gettext(
            "CSV, tab-separated text or a workbook (.xlsx, .xls, .xlsb, .ods), up to %(megabytes)s MB and "
            "%(columns)s columns, each cell up to %(cell)s characters. Any number of rows."
        ) % {"megabytes": f"{limits.size / MB:,.0f}", "columns": f"{limits.columns:,}", "cell": f"{limits.cell:,}"}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        file, pasted = cleaned.get("file"), (cleaned.get("pasted") or "").strip()
        if "file" in self.errors or "pasted" in self.errors:
            return cleaned
        if file and pasted:
            raise forms.ValidationError(gettext("Give a file or paste cells, not both."))
        if not file and not pasted:
            raise forms.ValidationError(gettext("Choose a file, or paste cells."))
        return cleaned

    @property
    def read_options(self) -> ReadOptions | None:
        """How the valid form says that the file is read; ``None`` if that is to be found out."""
        encoding, file = self.cleaned_data["encoding"], self.cleaned_data["file"]
        if not file or not encoding or encoding == "auto":
            return None
        return ReadOptions("csv", encoding) if file.name.lower().endswith(TEXTS) else None


def start_upload(
    form: UploadForm,
    kinds: Sequence[str],
    user: User | None,
    source: ImportSource,
    keep: Callable[[Callable[[], Import]], Import] = lambda store: store(),
) -> Import:
    """Keep what the valid form brings; see :func:`mobjects.imports.service.start_import`.

    Args:
        kinds: that the person may import; not empty.
        user: who uploads it.
        source: from where.
        keep: calls what it is given, which stores the file.
    """
    given = form.cleaned_data
    upload = given["file"]
    file: BinaryIO = upload.file if upload else BytesIO(given["pasted"].encode())
    return service.start_import(
        given["kind"] or kinds[0],
        file,
        upload.name if upload else PASTED_NAME,
        user=user,
        username=user.get_username() if user else "",
        source=source,
        pasted=not upload,
        reading=form.read_options,
        reason=given["reason"],
        kinds=() if given["kind"] else kinds,
        keep=keep,
    )


class KindForm(forms.Form):
    """What a file holds, if it is something else than was said or guessed."""

    kind = forms.ChoiceField(label=_("The file holds"), widget=UnfoldAdminSelectWidget)

    def __init__(self, imported: Import, kinds: Collection[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].initial = imported.kind
        choices = [(kind, name) for kind, name in FILE_KINDS if kind in kinds or kind == imported.kind]
        self.fields["kind"].choices = choices  # type: ignore[attr-defined]


class ReadOptionsForm(forms.Form):
    """How a file is read: encoding and delimiter of a CSV file, sheet of a workbook."""

    def __init__(self, imported: Import, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.imported = imported
        if imported.format == "csv":
            encodings = [(name, gettext(label)) for name, label in ENCODINGS.items() if name != "auto"]
            self._add_choice_field("encoding", gettext("Encoding"), encodings, imported.encoding)
            self._add_choice_field(
                "delimiter",
                gettext("Columns are parted by"),
                [(mark, str(name)) for mark, name in DELIMITERS.items()],
                imported.delimiter,
            )
        elif len(imported.sheets) > 1:
            self._add_choice_field(
                "sheet", gettext("Sheet"), [(name, name) for name in imported.sheets], imported.sheet
            )
        self.fields["header"] = forms.IntegerField(
            label=gettext("Row with the headers"),
            initial=imported.header_row or None,
            min_value=1,
            max_value=10**6,
            required=False,
            help_text=gettext("What stands above it is not read. Empty: find it out."),
            widget=UnfoldAdminIntegerFieldWidget,
        )

    def _add_choice_field(self, name: str, label: str, choices: list[tuple[str, str]], now: str) -> None:
        if now and now not in dict(choices):
            choices = [*choices, (now, now)]
        self.fields[name] = forms.ChoiceField(
            label=label, choices=choices, initial=now, required=False, widget=UnfoldAdminSelectWidget
        )

    @property
    def read_options(self) -> ReadOptions:
        """What the valid form asks for."""
        given = self.cleaned_data
        # Read in another way, the file may have its headers elsewhere.
        found = "header" not in self.changed_data and len(self.changed_data) > 0
        return ReadOptions(
            self.imported.format,
            header=0 if found else given.get("header") or 0,
            encoding=given.get("encoding") or "",
            delimiter=given.get("delimiter") or "",
            sheet=given.get("sheet") or self.imported.sheet,
        )


class ColumnsForm(forms.Form):
    """For each column of the file what it means, and texts for columns that the file lacks.

    Args:
        imported: whose columns.
        offered: names, labels and groups of the columns there are; a name of "" stands for none.
    """

    def __init__(self, imported: Import, offered: Iterable[tuple[str, str, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.imported = imported
        columns = _grouped(offered)
        for index, header in enumerate(imported.headers):
            now = imported.mapping[index] if index < len(imported.mapping) else None
            self.fields[f"column-{index}"] = forms.ChoiceField(
                label=gettext("What column %(letter)s (%(header)s) means")
                % {"letter": get_column_letter(index + 1), "header": header or gettext("without a name")},
                choices=[(UNDECIDED, gettext("Choose…")), (LEFT_OUT, gettext("Leave out")), *columns],
                initial=UNDECIDED if now is None else COLUMN + now if now else LEFT_OUT,
                required=False,
                widget=UnfoldAdminSelectWidget,
            )
            self.fields[f"blank-{index}"] = forms.ChoiceField(
                label=gettext("What a blank cell in column %(letter)s does to the value")
                % {"letter": get_column_letter(index + 1)},
                choices=[(LEAVES, gettext("leaves it")), (CLEARS, gettext("clears it"))],
                initial=CLEARS if now in imported.blank_clears else LEAVES,
                required=False,
                widget=UnfoldAdminSelectWidget,
            )
        given = list(imported.constants.items())
        for index in range(max(CONSTANTS, len(given))):
            name, text = given[index] if index < len(given) else ("", "")
            self.fields[f"constant-{index}"] = forms.ChoiceField(
                label=gettext("Column %(index)s that the file lacks") % {"index": index + 1},
                choices=[("", gettext("None")), *columns],
                initial=COLUMN + name if name else "",
                required=False,
                widget=UnfoldAdminSelectWidget,
            )
            self.fields[f"value-{index}"] = forms.CharField(
                label=gettext("Its value %(index)s in every row") % {"index": index + 1},
                initial=text,
                required=False,
                widget=UnfoldAdminTextInputWidget,
            )

    def column_rows(self) -> Iterator[tuple[str, str, list[str], BoundField, BoundField]]:
        """For each column of the file: letter, header, samples, what it means, what its blank cells do."""
        for index, header in enumerate(self.imported.headers):
            samples = self.imported.samples[index] if index < len(self.imported.samples) else []
            yield get_column_letter(index + 1), header, samples, self[f"column-{index}"], self[f"blank-{index}"]

    def constant_rows(self) -> list[tuple[BoundField, BoundField]]:
        """The fields of each constant."""
        count = sum(name.startswith("constant-") for name in self.fields)
        return [(self[f"constant-{index}"], self[f"value-{index}"]) for index in range(count)]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        seen: set[str] = set()
        for index in range(len(self.constant_rows())):
            column, text = cleaned.get(f"constant-{index}"), cleaned.get(f"value-{index}")
            if text and not column:
                self.add_error(f"constant-{index}", gettext("Say which column gets “%(text)s”.") % {"text": text})
            elif column in seen:
                self.add_error(f"constant-{index}", gettext("“%(column)s” is given twice.") % {"column": column[1:]})
            elif column:
                seen.add(column)
        return cleaned

    @property
    def mapping(self) -> list[str | None]:
        """What the valid form says about each column: a name, "" if it is left out, ``None`` if not decided."""
        said = [self.cleaned_data[f"column-{index}"] for index in range(len(self.imported.headers))]
        return [None if not each else each[1:] if each.startswith(COLUMN) else "" for each in said]

    @property
    def blank_clears(self) -> list[str]:
        """What the valid form says of blank cells: names of our columns in which they clear the value."""
        return [
            name for index, name in enumerate(self.mapping) if name and self.cleaned_data[f"blank-{index}"] == CLEARS
        ]

    @property
    def constants(self) -> dict[str, str]:
        """The texts for columns that the file lacks."""
        given = self.cleaned_data
        rows = ((given[f"constant-{i}"], given[f"value-{i}"]) for i in range(len(self.constant_rows())))
        return {column[1:]: text for column, text in rows if column}


def _grouped(offered: Iterable[tuple[str, str, str]]) -> list[tuple[str, list[tuple[str, str]]]]:
    groups: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name, label, group in offered:
        if name:
            groups[group].append((COLUMN + name, label))
    return list(groups.items())
