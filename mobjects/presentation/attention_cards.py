"""What needs a person, as cards: what is the matter, and one button that leads to where it is put right."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mobjects.db.counting import LIMIT
from mobjects.figures.attention import HELD, KindFigures, WaitingWork
from mobjects.kept_text import translate_kept
from mobjects.models import RECORD_MODELS, Circuit, SyncJob, SyncResultStatus
from mobjects.presentation.job_text import format_time
from mobjects.presentation.job_titles import job_title
from mobjects.processes.status import QueueStatus

_FIGURE = re.compile(r"\d[\d.,:]*")
Link = tuple[str, str]
"""Words and address."""


@dataclass(frozen=True, slots=True)
class AttentionCard:
    """One matter.

    Args:
        urgency: "halts" if nothing goes on until it is seen to, else "waits".
        headline: what is the matter, as a sentence.
        detail: why, or what follows; "" if the headline says all.
        links: what it is about, part by part.
        button: where it is put right; ``None`` where the reader may not.
    """

    urgency: str
    headline: str
    detail: str = ""
    links: list[Link] = field(default_factory=list)
    button: Link | None = None

    @property
    def urgency_text(self) -> str:
        """The urgency in words."""
        return _("Nothing goes on") if self.urgency == "halts" else _("Waits for you")

    @property
    def matter(self) -> str:
        """What stays the same while only figures in the card change."""
        said = self.headline if self.urgency == "halts" else self.detail
        return _FIGURE.sub("#", said) or (self.button[1] if self.button else self.headline)


def count_text(count: int) -> str:
    """A count that may have stopped at its limit, in the reader's language: ``1,234``, ``more than 10,000``."""
    if count > LIMIT:
        return _("more than %(limit)s") % {"limit": number_format(LIMIT, force_grouping=True)}
    return str(number_format(count, force_grouping=True))


def halted_cards(circuits: list[Circuit], user: AbstractUser | AnonymousUser) -> list[AttentionCard]:
    """That sending is halted, or that of a kind."""
    may = user.has_perm("mobjects.test_connection")
    button = (_("Put it right"), f"{reverse('mobjects:connection')}#halted") if may else None
    return [
        AttentionCard(
            "halts",
            _("%(what)s since %(moment)s") % {"what": circuit.headline, "moment": format_time(circuit.opened_at)},
            translate_kept(circuit.reason),
            button=button,
        )
        for circuit in circuits
    ]


def clock_cards(sentences: list[str], user: AbstractUser | AnonymousUser) -> list[AttentionCard]:
    """That clocks of hosts are off.

    Args:
        sentences: what is wrong, one for each host.
    """
    may = user.has_perm("mobjects.test_connection")
    button = (_("See the hosts"), reverse("mobjects:connection")) if may else None
    return [AttentionCard("halts", said, button=button) for said in sentences]


def queue_cards(now: QueueStatus, left: int, user: AbstractUser | AnonymousUser) -> list[AttentionCard]:
    """That nobody works on what is to be done.

    Args:
        left: jobs and imports that wait to be worked on.
    """
    button = (_("See the queue"), reverse("mobjects:queue")) if user.has_perm("mobjects.view_queue") else None
    count = {"count": count_text(left)}
    waits = ngettext("%(count)s job or import waits.", "%(count)s jobs or imports wait.", left) % count if left else ""
    if now.trouble == "redis":
        said = _("The queue (Redis) %(problem)s.") % {"problem": translate_kept(now.problem)}
    elif now.trouble == "worker":
        said = _no_worker(now)
    elif now.trouble == "clock":
        said = _("No clock process is running.")
        waits = _("Schedules do not start, and lost jobs are not found again, until one is started.")
    else:
        return []
    return [AttentionCard("halts", said, waits or _("What is asked for will wait until that is over."), button=button)]


def silent_cards(silent: int, user: AbstractUser | AnonymousUser) -> list[AttentionCard]:
    """That a process which took something up gives no sign of life, though others live.

    Args:
        silent: jobs and imports.
    """
    if not silent:
        return []
    said = ngettext(
        "The process at work on %(count)s job or import gives no sign of life.",
        "The processes at work on %(count)s jobs or imports give no sign of life.",
        silent,
    )
    button = (_("See the queue"), reverse("mobjects:queue")) if user.has_perm("mobjects.view_queue") else None
    detail = _("It was killed or is frozen. Another takes the work over within a minute; nothing is sent twice.")
    return [AttentionCard("waits", said % {"count": count_text(silent)}, detail, button=button)]


def behind_cards(now: QueueStatus, user: AbstractUser | AnonymousUser) -> list[AttentionCard]:
    """That workers stepped aside because their program is older than the database, one for each host."""
    button = (_("See the queue"), reverse("mobjects:queue")) if user.has_perm("mobjects.view_queue") else None
    detail = _("Others go on. Bring that host to the version that the database has; its workers begin again then.")
    return [
        AttentionCard(
            "waits",
            _("The workers of %(host)s do nothing: their program is older than the database.") % {"host": each.host},
            detail,
            button=button,
        )
        for each in now.behind
    ]


def _no_worker(now: QueueStatus) -> str:
    if not now.workers:
        return _("No worker is running.")
    silent = min(worker.heartbeat_seconds for worker in now.workers)
    return ngettext(
        "No worker has given a sign of life for %(count)s second.",
        "No worker has given a sign of life for %(count)s seconds.",
        silent,
    ) % {"count": silent}


def record_cards(waiting: WaitingWork) -> Iterator[AttentionCard]:
    """Records that were not accepted and were not corrected since, those whose outcome is not known, and those that
    were held back.
    """
    for what, status, headline, detail in (
        ("failed", SyncResultStatus.FAILED, _failed, _("Marketo refused them, and nobody changed them since.")),
        ("unknown", SyncResultStatus.UNKNOWN, _unknown, _("A sync looks them up in Marketo before it sends anything.")),
        ("skipped", SyncResultStatus.SKIPPED, _skipped, _("Marketo passed them over, and nobody changed them since.")),
        (HELD, SyncResultStatus.HELD, _held, ""),
    ):
        links = [_kind_link(figure, what) for figure in waiting.kinds if figure.counts[what]]
        if not links:
            continue
        job = waiting.causes.get(what)
        button = _job_button(job, status) if job else (_("See them"), links[0][1])
        yield AttentionCard("waits", headline(waiting.total(what)), detail, links, button)


def other_cards(waiting: WaitingWork, user: AbstractUser | AnonymousUser) -> Iterator[AttentionCard]:
    """What is to decide or to approve, and imports that wait."""
    if waiting.undecided and user.has_perm("mobjects.view_conflict"):
        said = ngettext(
            "%(count)s record waits for a decision.", "%(count)s records wait for a decision.", waiting.undecided
        )
        button = (_("Decide"), reverse("admin:mobjects_conflict_changelist"))
        yield _counted_card(said, waiting.undecided, _("Until then no sync sends them."), button)
    if waiting.approvals and user.has_perm("mobjects.view_approval"):
        said = ngettext(
            "%(count)s request waits for approval.", "%(count)s requests wait for approval.", waiting.approvals
        )
        button = (
            _("See what is to be approved"),
            f"{reverse('admin:mobjects_approval_changelist')}?state__exact=waiting",
        )
        yield _counted_card(said, waiting.approvals, _("Until then nothing of it is done."), button)
    if waiting.imports and user.has_perm("mobjects.view_import"):
        said = ngettext("%(count)s import waits for a person.", "%(count)s imports wait for a person.", waiting.imports)
        button = (_("Go on with it"), f"{reverse('admin:mobjects_import_changelist')}?waiting=yes")
        yield _counted_card(said, waiting.imports, _("Until then nothing of it is written."), button)
    if waiting.purges and user.has_perm("mobjects.view_purge"):
        said = ngettext(
            "%(count)s kind of old data would be removed for the first time.",
            "%(count)s kinds of old data would be removed for the first time.",
            waiting.purges,
        )
        button = (_("See what would go"), reverse("mobjects:retention"))
        yield _counted_card(said, waiting.purges, _("It waits some days for somebody to look."), button)


def _counted_card(said: str, count: int, detail: str, button: Link) -> AttentionCard:
    return AttentionCard("waits", said % {"count": count_text(count)}, detail, button=button)


def _job_button(job: SyncJob, status: str) -> Link:
    address = f"{reverse('admin:mobjects_syncjob_change', args=[job.pk])}?status={status}#results"
    return _("See why: %(job)s") % {"job": job_title(job)}, address


def _kind_link(figure: KindFigures, what: str) -> Link:
    options: Any = RECORD_MODELS[figure.kind]._meta
    count = figure.counts[what]
    kind = options.verbose_name if count == 1 else options.verbose_name_plural
    words = _("%(count)s %(kind)s") % {"count": count_text(count), "kind": kind}
    return words, f"{reverse(f'admin:mobjects_{options.model_name}_changelist')}?state={what}"


def _plural(build: Callable[[int], str]) -> Callable[[int], str]:
    return lambda count: build(count) % {"count": count_text(count)}


_failed = _plural(
    lambda count: ngettext(
        "%(count)s record failed and was not corrected.", "%(count)s records failed and were not corrected.", count
    )
)
_unknown = _plural(
    lambda count: ngettext(
        "The outcome of %(count)s record is not known.", "The outcome of %(count)s records is not known.", count
    )
)
_skipped = _plural(
    lambda count: ngettext(
        "%(count)s record was skipped and was not corrected.",
        "%(count)s records were skipped and were not corrected.",
        count,
    )
)
_held = _plural(
    lambda count: ngettext(
        "%(count)s record was held back and is as it was.",
        "%(count)s records were held back and are as they were.",
        count,
    )
)
