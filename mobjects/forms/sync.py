"""The form that asks before anything is sent."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django import forms
from django.utils.functional import lazy
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.widgets import CHECKBOX_CLASSES, RADIO_CLASSES, UnfoldAdminTextareaWidget

from mobjects.models import Kind, SyncJob, SyncJobAction
from mobjects.presentation.follow_up_text import unsendable_text
from mobjects.sync.send.preview.planned import can_be_sent
from mobjects.sync.send.selection import OperationChoice, SyncSelection

ALL = "all"
"""Stands for all kinds."""

EXPLAINED = {
    OperationChoice.AUTO: (
        _("Automatic"),
        _("UPDATE where the Marketo ID is known, else UPSERT where an external key is configured, else INSERT."),
    ),
    OperationChoice.INSERT: ("INSERT", _("Create only. Marketo skips what it already has.")),
    OperationChoice.UPDATE: ("UPDATE", _("Change only. Marketo skips what it does not have.")),
    OperationChoice.UPSERT: (
        "UPSERT",
        _("Create or change. Safe to repeat only where an external key is configured."),
    ),
}
_format_later = lazy(format_html, str)


_IDS = re.compile(r"[0-9]{1,18}(?:,[0-9]{1,18})*+")


class IdsField(forms.Field):
    """Our own ids, joined by commas in one hidden field so that thousands of them fit; ``None`` if empty."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> list[int] | None:
        if not value:
            return None
        if not _IDS.fullmatch(str(value)):
            raise forms.ValidationError(_("The list of records is damaged; go back to the list and select them again."))
        return sorted(set(map(int, str(value).split(","))))


def reason_field() -> forms.CharField:
    """Why somebody asks for something."""
    return forms.CharField(
        required=False,
        max_length=1000,
        label=_("Reason (optional)"),
        help_text=_("Kept in the history."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )


def tick(label: Any, help_text: Any = "") -> forms.BooleanField:
    """An option that is off unless it is ticked."""
    widget = forms.CheckboxInput(attrs={"class": " ".join(CHECKBOX_CLASSES)})
    return forms.BooleanField(required=False, label=label, help_text=help_text, widget=widget)


class SyncForm(forms.Form):
    """What to sync and how. ``token`` tells one press of "Send" from a second press of the same button; ``of_job`` is
    the job that is repeated, ``same`` one of its results, where only those with a reason like it are.

    Whoever makes the form says which ``job`` that is, and in ``repeated`` what is left of it, if no records are named.
    """

    job: SyncJob | None = None
    repeated: SyncSelection | None = None

    kind = forms.ChoiceField(
        choices=[(ALL, _("All kinds")), *((kind.value, kind.value) for kind in Kind)], widget=forms.HiddenInput
    )
    ids = IdsField(required=False)
    of_import = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)
    of_dry_run = forms.UUIDField(required=False, label=_("Dry run"), widget=forms.HiddenInput)
    of_job = forms.UUIDField(required=False, label=_("Job"), widget=forms.HiddenInput)
    same = forms.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, label=_("Result"), widget=forms.HiddenInput
    )
    token = forms.UUIDField(widget=forms.HiddenInput)
    operation = forms.ChoiceField(
        choices=[
            (choice.value, _format_later("<strong>{}</strong> {}", *EXPLAINED[choice])) for choice in OperationChoice
        ],
        initial=OperationChoice.AUTO.value,
        widget=forms.RadioSelect(attrs={"class": " ".join(RADIO_CLASSES)}),
    )
    reason = reason_field()
    resend = tick(_("Send unchanged records too"))
    include_unknown = tick(
        _("Send records with an unknown outcome again"),
        _(
            "They are looked up in Marketo by themselves. Tick this only if you know that they did not arrive: "
            "sending them again could double them."
        ),
    )
    read_first = tick(
        _("Read each record in Marketo first"),
        _(
            "What was changed there meanwhile then waits for your decision instead of being overwritten. "
            "Takes more calls, at worst one for each record that Marketo knows."
        ),
    )
    rest_by_itself = tick(
        _("After a try, send the rest by itself if all of the first records were accepted"),
        _("Otherwise the page of the try has a button for the rest."),
    )

    def clean_of_dry_run(self) -> uuid.UUID | None:
        """A dry run that can be sent exactly: what it found is complete, and kept to be compared with."""
        asked: uuid.UUID | None = self.cleaned_data["of_dry_run"]
        if asked is not None:
            job = SyncJob.objects.filter(pk=asked, action=SyncJobAction.DRY_RUN).first()
            if job is None:
                raise forms.ValidationError(_("There is no such dry run."))
            if not can_be_sent(job):
                raise forms.ValidationError(unsendable_text(job))
        return asked

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("kind") == ALL and (cleaned.get("ids") or cleaned.get("of_import")):
            raise forms.ValidationError(
                _("Selected records are of one kind; go back to the list and select them again.")
            )
        return cleaned

    @property
    def selection(self) -> SyncSelection:
        """What the valid form asks for."""
        given = self.cleaned_data
        asked = self.repeated or SyncSelection(
            kinds=tuple(Kind) if given["kind"] == ALL else (Kind(given["kind"]),),
            ids=given["ids"],
            of_import=given["of_import"],
            of_dry_run=str(given["of_dry_run"] or ""),
        )
        return replace(
            asked,
            operation=OperationChoice(given["operation"]),
            resend=given["resend"],
            include_unknown=given["include_unknown"],
            read_first=given["read_first"],
        )

    @property
    def options(self) -> str:
        """How the valid form asks to send, as one word; the page notes for which options its counts hold."""
        names = ("operation", "resend", "include_unknown", "read_first")
        return "-".join(str(self.cleaned_data[name]) for name in names)

    @classmethod
    def build_initial(
        cls, kind: str, ids: Sequence[int] | None = None, of_import: str = "", **options: Any
    ) -> SyncForm:
        """The form as it is first shown; check ``is_valid``, since ``kind`` and ``of_import`` may be anything.

        Args:
            options: of other fields, by name.
        """
        return cls(
            {
                "kind": kind,
                "ids": ",".join(str(pk) for pk in ids or ()),
                "of_import": of_import,
                "token": uuid.uuid4(),
                "operation": OperationChoice.AUTO.value,
                **options,
            }
        )

    @classmethod
    def build_for_dry_run(cls, job: SyncJob) -> SyncForm:
        """The form for exactly what a dry run found that it would send, with its options."""
        return cls._build_from(job, of_dry_run=job.pk)

    @classmethod
    def build_for_repeat(cls, job: SyncJob, same: int | None, kind: str, ids: Sequence[int]) -> SyncForm:
        """The form for what is left of a job, with its options and its reason.

        Args:
            same: one of its results, if only what has a reason like it is asked for.
            kind: of the records that are named, if some are.
            ids: of these.
        """
        form = cls._build_from(job, kind, ids, of_job=job.pk, same=same, reason=job.reason)
        form.job = job
        return form

    @classmethod
    def _build_from(cls, job: SyncJob, kind: str = "", ids: Sequence[int] = (), **further: Any) -> SyncForm:
        asked = SyncSelection.from_json(job.selection)
        names = ("resend", "include_unknown", "read_first")
        further |= {name: getattr(asked, name) for name in names} | {"operation": asked.operation.value}
        return cls.build_initial(kind or (asked.kinds[0].value if len(asked.kinds) == 1 else ALL), ids, **further)
