"""The form of a schedule."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from mobjects.forms.moving import NOT_NEEDED
from mobjects.forms.schedule_times import ScheduleTimesForm
from mobjects.jobs import schedules
from mobjects.models import Kind, Schedule, SyncJobAction
from mobjects.models.sync_history import KIND_CHOICES
from mobjects.sync.content.gaps import kinds_without_numbers
from mobjects.sync.send.selection import OperationChoice
from mobjects.sync.transport_factory import key_fields

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

WHEN = ("enabled", "cron", "time_zone", "quiet_from", "quiet_until")
"""Fields that decide when the next run is."""


class ScheduleForm(ScheduleTimesForm, forms.ModelForm):  # type: ignore[type-arg]  # generic only in the stubs
    """A schedule. Whoever saves it has to be allowed to do what it does."""

    user: ClassVar[Any] = None
    kinds = forms.MultipleChoiceField(
        label=_("Kinds"),
        choices=KIND_CHOICES,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        error_messages={"required": _("Tick at least one kind.")},
    )

    class Meta:
        help_texts: ClassVar[dict[str, StrOrPromise]] = {"operation": _("Of use for sending only.")}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        permission, words = schedules.PERMISSIONS.get(cleaned.get("action", ""), ("", ""))
        if permission and not self.user.has_perm(permission):
            self.add_error(
                "action",
                gettext("You may not %(words)s, so you cannot have it done by the clock.") % {"words": gettext(words)},
            )
        if cleaned.get("action") == SyncJobAction.IDENTIFY:
            self._check_look_up(cleaned.get("kinds", ()))
        if cleaned.get("action") != SyncJobAction.SEND:
            cleaned["operation"] = OperationChoice.AUTO.value
        elif Kind.PROGRAM in cleaned.get("kinds", ()) and cleaned.get("operation") in (
            OperationChoice.INSERT,
            OperationChoice.UPSERT,
        ):
            self.add_error(
                "operation",
                gettext(
                    "Programs cannot be sent with %(operation)s: they exist only in Marketo, whose API can update "
                    "them. Choose automatic or UPDATE, or leave programs out."
                )
                % {"operation": cleaned["operation"]},
            )
        return cleaned

    def _check_look_up(self, kinds: Collection[str]) -> None:
        """Programs are known by their Marketo ID from the start, and over some APIs so is everything else."""
        if not kinds_without_numbers(key_fields()):
            self.add_error("action", NOT_NEEDED)
        elif Kind.PROGRAM in kinds:
            self.add_error("kinds", gettext("IDs of programs are not looked up; leave programs out."))

    def save_for(self, user: Any) -> Schedule:
        """Save the valid form. Whoever saves a schedule answers for it: they are its owner, and have seen what was
        missed.
        """
        schedule: Schedule = self.instance
        is_new = schedule.pk is None
        kept = {field.name for field in Schedule._meta.fields}
        written = {*kept.intersection(self.cleaned_data), "owner", "missed", "missed_text"}
        schedule.owner, schedule.missed, schedule.missed_text = user, 0, ""
        if is_new or any(self.initial.get(name) != self.cleaned_data[name] for name in WHEN):
            schedules.plan_schedule(schedule)
            written.add("next_at")
        # Not what the clock may have written meanwhile.
        schedule.save(update_fields=None if is_new else written)
        return schedule
