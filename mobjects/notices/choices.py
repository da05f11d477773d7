"""Who hears of what: nobody of what they may not see, and of the rest what they chose or what fits their rights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.contrib.auth.models import User
from django.db.models import QuerySet

from mobjects.models import NoticeChoice, NoticeEvent

BACKEND = "mobjects.accounts.backend.AccountBackend"
ACTS = "mobjects.sync_records"
"""Whoever has this right gets everything in the inbox until they choose otherwise."""

SEES: Mapping[NoticeEvent, str] = {
    NoticeEvent.JOB_FAILED: "mobjects.view_syncjob",
    NoticeEvent.JOB_UNKNOWN: "mobjects.view_syncjob",
    NoticeEvent.FAILED_SHARE: "mobjects.view_syncjob",
    NoticeEvent.NO_RECORDS: "mobjects.view_syncjob",
    NoticeEvent.HALTED: "mobjects.view_syncjob",
    NoticeEvent.SCHEDULE_LATE: "mobjects.view_schedule",
    NoticeEvent.QUOTA_LOW: "mobjects.view_syncjob",
    NoticeEvent.PROCESSES: "mobjects.view_queue",
    NoticeEvent.IMPORT_WAITS: "mobjects.view_import",
}
"""The right that an event's page asks for."""


def list_readers(event: NoticeEvent, channel: str) -> list[User]:
    """Those who hear of an event by ``inbox`` or ``email``; three queries."""
    sees = _with_right(SEES[event])
    chosen = {choice.pk: getattr(choice, channel) for choice in NoticeChoice.objects.all()}
    found = list(sees.select_related("person_settings").order_by("pk"))
    acts: set[int] = set(_with_right(ACTS).values_list("pk", flat=True)) if channel == "inbox" else set()
    return [user for user in found if (event in chosen[user.pk] if user.pk in chosen else user.pk in acts)]


def events_for(user: User) -> list[NoticeEvent]:
    """The events that a user may hear of."""
    return [event for event in NoticeEvent if user.has_perm(SEES[event])]


def read_choice(user: User) -> NoticeChoice:
    """What a user chose; without a choice what holds until then, not saved."""
    found = NoticeChoice.objects.filter(pk=user.pk).first()
    usual = [event.value for event in events_for(user)] if user.has_perm(ACTS) else []
    return found or NoticeChoice(user=user, inbox=usual, email=[])


def save_choice(user: User, inbox: Iterable[str], email: Iterable[str]) -> None:
    """Keep what a user chose."""
    NoticeChoice.objects.update_or_create(user=user, defaults={"inbox": list(inbox), "email": list(email)})


def _with_right(right: str) -> QuerySet[User]:
    return User.objects.with_perm(right, backend=BACKEND).filter(is_staff=True)
