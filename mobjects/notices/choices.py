"""Who hears of what: nobody of what they may not see, and of the rest what they chose or what fits their rights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from django.contrib.auth.models import User
from django.db.models import QuerySet

from mobjects.jobs.approvals.service import APPROVE_WORK, is_own
from mobjects.models import Approval, Notice, NoticeChoice, NoticeEvent

BACKEND = "mobjects.accounts.backend.AccountBackend"
ACTS = "mobjects.sync_records"
"""Whoever has this right gets everything that they may see in the inbox until they choose otherwise."""

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
    NoticeEvent.APPROVAL_WAITS: APPROVE_WORK,
    NoticeEvent.LONG_WORK: "mobjects.view_syncjob",
}
"""The right that an event's page asks for; of an approval its buttons."""

SEES_APPROVAL, SEES_IMPORT = "mobjects.view_approval", "mobjects.view_import"


def list_readers(notice: Notice, channel: str) -> list[User]:
    """Those who hear of a notice by ``inbox`` or ``email``; a few queries, however many people there are."""
    event = NoticeEvent(notice.event)
    chosen = {choice.pk: getattr(choice, channel) for choice in NoticeChoice.objects.all()}
    usual: set[int] = set()
    if event == NoticeEvent.LONG_WORK:
        found = addressed = _list_starter(notice)
    else:
        found, addressed = list(_with_right(SEES[event]).select_related("person_settings").order_by("pk")), []
        usual.update(_with_right(_usual(event)).values_list("pk", flat=True) if channel == "inbox" else ())
    if event == NoticeEvent.APPROVAL_WAITS:
        approval = Approval.objects.select_related("user__person_settings").get(pk=notice.facts["approval"])
        addressed = _list_answered_asker(notice, approval, found)
        found = [*_without_author(notice, approval, found), *addressed]
    if channel == "inbox":
        usual.update(user.pk for user in addressed)
    return [user for user in found if (event in chosen[user.pk] if user.pk in chosen else user.pk in usual)]


def _list_starter(notice: Notice) -> list[User]:
    """Who started what is done."""
    right = SEES_IMPORT if "import" in notice.facts else SEES[NoticeEvent.LONG_WORK]
    found = User.objects.select_related("person_settings").filter(pk=notice.facts["user"])
    return [user for user in found if _may_see(user, right)]


def _without_author(notice: Notice, approval: Approval, users: Sequence[User]) -> list[User]:
    """Nobody hears of what they asked for themselves, or have just decided."""
    if notice.is_recovery:
        return [user for user in users if user.get_username() != notice.facts["by"]]
    return [user for user in users if not is_own(approval, user)]


def _list_answered_asker(notice: Notice, approval: Approval, others: Sequence[User]) -> list[User]:
    """Who asked for it and may not approve, once others have decided it."""
    user = approval.user
    if user is None or not notice.is_recovery or user in others or user.get_username() == notice.facts["by"]:
        return []
    return [user] if _may_see(user, SEES_APPROVAL) else []


def _may_see(user: User, right: str) -> bool:
    return user.is_active and user.is_staff and user.has_perm(right)


def _usual(event: NoticeEvent) -> str:
    """Who has this right hears of an event in the inbox without having chosen so."""
    return SEES[event] if event in (NoticeEvent.APPROVAL_WAITS, NoticeEvent.LONG_WORK) else ACTS


def events_for(user: User) -> list[NoticeEvent]:
    """The events that a user may hear of; of approvals also who can ask for something, and then waits for an answer."""
    more = {
        NoticeEvent.APPROVAL_WAITS: user.has_perm(ACTS) and user.has_perm(SEES_APPROVAL),
        NoticeEvent.LONG_WORK: user.has_perm(SEES_IMPORT),
    }
    return [event for event in NoticeEvent if user.has_perm(SEES[event]) or more.get(event)]


def read_choice(user: User) -> NoticeChoice:
    """What a user chose; without a choice what holds until then, not saved."""
    found = NoticeChoice.objects.filter(pk=user.pk).first()
    acts, own = user.has_perm(ACTS), NoticeEvent.LONG_WORK
    usual = [event.value for event in events_for(user) if acts or event == own or user.has_perm(_usual(event))]
    return found or NoticeChoice(user=user, inbox=usual, email=[])


def save_choice(user: User, inbox: Iterable[str], email: Iterable[str]) -> None:
    """Keep what a user chose."""
    NoticeChoice.objects.update_or_create(user=user, defaults={"inbox": list(inbox), "email": list(email)})


def _with_right(right: str) -> QuerySet[User]:
    return User.objects.with_perm(right, backend=BACKEND).filter(is_staff=True)
