"""The forms of the way back: what to read from Marketo, what to compare, what to delete there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import CHECKBOX_CLASSES, UnfoldAdminTextInputWidget

from mobjects.forms.named_objects import NAMINGS, clean_names, naming_fields
from mobjects.forms.sync import IdsField, reason_field, tick
from mobjects.kept_text import translate_kept
from mobjects.marketo.value_text import find_xml_problem
from mobjects.models import Kind
from mobjects.models.sync_history import KIND_CHOICES
from mobjects.sync.compare.task import CompareSelection
from mobjects.sync.paging import NamedBy, can_list
from mobjects.sync.pull.task import PullSelection
from mobjects.sync.transport_factory import key_fields

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

FILTERS: dict[str, tuple[str, ...]] = {
    Kind.PROGRAM: ("name", "workspace", "tag_type", "tag_value", "updated_since", "archived"),
    Kind.OPPORTUNITY: ("name", "updated_since"),
    Kind.ROLE: ("updated_since",),
}
"""What Marketo can look for, by kind."""


class ExactTextField(forms.CharField):
    """A text that Marketo is asked for, exactly."""

    def __init__(self, label: StrOrPromise, help_text: StrOrPromise = "", **attrs: str) -> None:
        widget = UnfoldAdminTextInputWidget(attrs=attrs)
        super().__init__(required=False, max_length=255, label=label, help_text=help_text, widget=widget)

    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        if problem := find_xml_problem(text):
            raise forms.ValidationError(f"“{text}”: {problem}")
        return text


class SinceField(forms.CharField):
    """A moment in the past, in UTC; a day alone is its midnight. ``None`` if empty."""

    def to_python(self, value: Any) -> Any:
        text = str(value or "").strip()
        if not text:
            return None
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            raise forms.ValidationError(
                gettext(
                    "“%(text)s” is no day or time. Write it as 2026-03-31, or with the time in UTC as 2026-03-31 14:30."
                )
                % {"text": text}
            ) from None
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        if at > timezone.now():
            raise forms.ValidationError(
                gettext("“%(text)s” is in the future; give a day or time that has been.") % {"text": text}
            )
        return at


class PullForm(forms.Form):
    """What to read from Marketo; of the filters only those that the kind has."""

    kind = forms.ChoiceField(choices=[(kind.value, kind.value) for kind in Kind], widget=forms.HiddenInput)
    ids = IdsField(required=False)
    name = ExactTextField(_("Name"), _("Exactly this name."))
    workspace = ExactTextField(_("Workspace"), _("Exactly this workspace."))
    tag_type = ExactTextField(_("Tag type"), _("Such as Region. Needs the value as well."), list="mo-tag-types")
    tag_value = ExactTextField(_("Tag value"), _("Such as EMEA."), list="mo-tag-values")
    updated_since = SinceField(
        required=False,
        label=_("Updated since (UTC)"),
        help_text=_("A day, or a day and time: 2026-03-31 14:30."),
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "YYYY-MM-DD HH:MM"}),
    )
    archived = tick(_("Archived programs too"))
    reason = reason_field()

    def __init__(self, data: Mapping[str, Any] | None = None, files: MultiValueDict[str, Any] | None = None) -> None:
        super().__init__(data, files)
        given = data or {}
        self.keys = key_fields()
        kind = Kind(given["kind"]) if given.get("kind") in tuple(Kind) else Kind.PROGRAM
        self.lists = can_list(kind, self.keys)
        offered = FILTERS[kind] if self.lists and not given.get("ids") else ()
        self.without = {name: self.fields.pop(name) for name in FILTERS[Kind.PROGRAM] if name not in offered}
        if self.lists or given.get("ids"):
            self.without |= naming_fields(kind, self.keys.traits)
        else:
            self.fields = naming_fields(kind, self.keys.traits) | self.fields

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        for name in self.without:
            if name != "named_by" and (given := self.data.get(name)):
                self.add_error(
                    None,
                    gettext("%(field)s “%(given)s”: Marketo cannot look for this here.")
                    % {"field": self.without[name].label, "given": given},
                )
        if not self.errors:
            try:
                filters = {name: cleaned[name] for name in FILTERS[Kind.PROGRAM] if cleaned.get(name)}
                cleaned["pull"] = PullSelection(
                    Kind(cleaned["kind"]), ids=cleaned["ids"], **filters, **self._clean_named(cleaned)
                )
            except forms.ValidationError as error:
                self.add_error("names", error)
            except ValueError as error:
                self.add_error(None, translate_kept(str(error)))
        return cleaned

    def _clean_named(self, cleaned: Mapping[str, Any]) -> dict[str, Any]:
        """What of a selection names objects."""
        if "names" not in self.fields:
            return {}
        usual = self.fields["named_by"].choices[0][0]  # type: ignore[attr-defined]
        by = NamedBy(cleaned["named_by"] or usual)
        names = clean_names(NAMINGS[by], cleaned["names"], cleaned["names_file"])
        return {"named_by": by, "names": names} if names else {}


class CompareForm(forms.Form):
    """What to compare with Marketo: whole kinds, or some records of one."""

    kinds = forms.MultipleChoiceField(
        choices=KIND_CHOICES,
        widget=forms.CheckboxSelectMultiple(attrs={"class": " ".join(CHECKBOX_CLASSES)}),
        error_messages={"required": _("Tick at least one kind.")},
    )
    ids = IdsField(required=False)
    reason = reason_field()

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors:
            try:
                cleaned["comparison"] = CompareSelection(tuple(Kind(kind) for kind in cleaned["kinds"]), cleaned["ids"])
            except ValueError:
                self.add_error(
                    None, gettext("Selected records are of one kind; go back to the list and select them again.")
                )
        return cleaned


class DeleteForm(forms.Form):
    """Which records to delete in Marketo, and the number of objects, typed by a person."""

    kind = forms.ChoiceField(
        choices=[(kind.value, kind.value) for kind in (Kind.OPPORTUNITY, Kind.ROLE)], widget=forms.HiddenInput
    )
    ids = IdsField(error_messages={"required": _("No records are selected; go back to the list and select them.")})
    typed = forms.CharField(
        label=_("Number"), required=False, max_length=20, widget=UnfoldAdminTextInputWidget(attrs={"size": 8})
    )
    reason = reason_field()
    seen = forms.CharField(required=False, max_length=16)

    @property
    def selection(self) -> dict[str, Any]:
        """The valid form's records, as kept on the job."""
        return {"kind": self.cleaned_data["kind"], "ids": self.cleaned_data["ids"]}

    def is_confirmed(self, count: int) -> bool:
        """Whether the typed number is this one; if not, the form says so."""
        typed = self.cleaned_data["typed"].replace(",", "").strip()
        if typed == str(count):
            return True
        given = (
            gettext("“%(typed)s” is not it") % {"typed": self.cleaned_data["typed"]}
            if typed
            else gettext("it is empty")
        )
        self.add_error(
            "typed",
            gettext("Type %(count)s to confirm; %(given)s. Nothing was deleted.") % {"count": count, "given": given},
        )
        return False


def join_ids(ids: Sequence[int]) -> str:
    """Our own ids as the hidden field holds them."""
    return ",".join(str(pk) for pk in ids)
