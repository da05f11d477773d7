"""What happened to a job as a whole, in order: asked for, begun, tried again, halted, steered by people, ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from mobjects.kept_text import translate_kept
from mobjects.models import EventKind, SyncBatchState, SyncJob
from mobjects.presentation.job_titles import job_title
from mobjects.selectors import JobTrouble


@dataclass(frozen=True, slots=True)
class JobMoment:
    """One thing that happened to a job.

    Args:
        at: when.
        what: in words.
        who: a user's name; "" if it was nobody's doing.
        why: a reason as a sentence; "" if none is known.
        url: where more of it stands; "" if nowhere.
    """

    at: datetime
    what: str
    who: str = ""
    why: str = ""
    url: str = ""


def job_moments(
    job: SyncJob,
    *,
    troubles: Iterable[JobTrouble],
    followers: Iterable[SyncJob],
) -> list[JobMoment]:
    """All of it, the oldest first. Reads nothing: what is given is loaded.

    Args:
        troubles: its batches that were tried again, split, or not answered well; the times that it halted sending; what
            people did to it.
        followers: the jobs that repeat or undo it.
    """
    found = [
        *_own_moments(job),
        *(moment for each in troubles for moment in _MOMENTS[min(each.number, 1)](each)),
        *(
            JobMoment(
                each.created_at, _("Followed by: %(job)s") % {"job": job_title(each)}, each.username, "", _page(each)
            )
            for each in followers
        ),
    ]
    return sorted(found, key=lambda moment: moment.at)


def _own_moments(job: SyncJob) -> Iterator[JobMoment]:
    yield JobMoment(job.created_at, _("Asked for"), job.username, job.reason)
    if job.queued_at:
        yield JobMoment(job.queued_at, _("Queued"))
    if job.started_at:
        yield JobMoment(job.started_at, _("Started"))
    if job.finished_at:
        yield JobMoment(job.finished_at, str(job.get_state_display()), "", translate_kept(job.problem_text))


def _batch_moments(batch: JobTrouble) -> Iterator[JobMoment]:
    if batch.is_half:
        words = _("Batch %(number)s is half of one that was refused") % {"number": batch.number}
    elif batch.attempt > 1:
        words = _("Batch %(number)s: attempt %(attempt)s") % {"number": batch.number, "attempt": batch.attempt}
    else:
        state = SyncBatchState(batch.state).label
        words = _("Batch %(number)s: %(state)s") % {"number": batch.number, "state": state}
    url = reverse("admin:mobjects_syncbatch_change", args=[batch.pk])
    yield JobMoment(batch.at, words, "", translate_kept(batch.why), url)


def _event_moments(event: JobTrouble) -> Iterator[JobMoment]:
    yield JobMoment(event.at, str(EventKind(event.state).label), event.username)


def _halt_moments(halt: JobTrouble) -> Iterator[JobMoment]:
    yield JobMoment(halt.at, _("Sending was halted"), "", translate_kept(halt.why))
    if halt.reset_at:
        yield JobMoment(halt.reset_at, _("Sending may go on"), halt.username)


_MOMENTS = {-1: _event_moments, 0: _halt_moments, 1: _batch_moments}


def _page(job: SyncJob) -> str:
    return reverse("admin:mobjects_syncjob_change", args=[job.pk])
