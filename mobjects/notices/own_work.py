"""Notices of long work that is done, to whoever started it: they have gone on with something else by then."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from mobjects import clock
from mobjects.models import Import, ImportSource, ImportState, NoticeEvent, SyncJob, SyncJobSource, SyncJobState
from mobjects.notices import notice_settings
from mobjects.notices.job_events import find_trouble, job_facts
from mobjects.notices.making import make_notice
from mobjects.notices.wording import IMPORT_FIELDS

EVENT = NoticeEvent.LONG_WORK
DONE = (SyncJobState.SUCCEEDED, SyncJobState.PROBLEMS)


def notice_job_done(sender: Any, *, work: SyncJob, **_kwargs: Any) -> None:
    """Make a notice of a job that somebody asked for in the pages and that went well; for ``job_came_to_rest``.

    Of one that did not, everybody hears who may send.
    """
    if work.state not in DONE or work.source != SyncJobSource.ADMIN or work.user_id is None:
        return
    if find_trouble(work) is None and _is_long(work.created_at):
        make_notice(EVENT, f"job:{work.pk}", {**job_facts(work), "user": work.user_id})


def notice_import_step(sender: Any, *, work: Import, old: str, new: str, **_kwargs: Any) -> None:
    """Make a notice of a step of an import that is done, or broke off; for ``import_came_to_rest``."""
    if old not in Import.WORKING_STATES or new == ImportState.DISCARDED or work.source != ImportSource.ADMIN:
        return
    if not _is_long(work.step_at):
        return
    by = {ImportState.COMMITTING: work.committed_by, ImportState.UNDOING: work.undone_by}
    asked_by = by.get(ImportState(old), "") or work.username
    user = User.objects.filter(username=asked_by).first()
    if user is not None:
        facts = Import.objects.values(*IMPORT_FIELDS).get(pk=work.pk)
        make_notice(EVENT, f"import:{work.pk}", {**facts, "import": work.pk, "user": user.pk})


def _is_long(since: datetime | None) -> bool:
    return since is not None and clock.now() - since >= notice_settings.long_work()
