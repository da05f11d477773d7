"""What a job is called: a title that people can say, such as ``Sync of 412 opportunities, 28 Nov 09:14``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from mobjects.models import SyncJob, SyncJobAction
from mobjects.zones import name_zone

_GROUPED = re.compile(r"(?<=\d)[.,\s](?=\d{3}(?!\d))")
"""What stands between the thousands of a number."""


def job_title(job: SyncJob, *, names_zone: bool = False) -> str:
    """A job's title, in the language and the time zone of whoever reads it.

    Args:
        job: it may be one that was not saved.
        names_zone: whether the time says its zone, for whoever reads it elsewhere than on a page.
    """
    at = timezone.localtime(job.created_at)
    moment = _moment(at)
    return _title(job.action, _about(job), f"{moment} {name_zone(at)}" if names_zone else moment)


def fits_title(job: SyncJob, words: Iterable[str]) -> bool:
    """Whether each of some words, in small letters, stands in a job's title; numbers as they are or without commas."""
    title = job_title(job).casefold()
    plain = _GROUPED.sub("", title)
    return all(word in title or word in plain for word in words)


def _title(action: str, what: str, when: str) -> str:
    said: dict[str, Any] = {"what": what, "when": when}
    if action == SyncJobAction.PULL:
        return _("Pull of %(what)s, %(when)s") % said
    if action == SyncJobAction.COMPARE:
        return _("Comparison of %(what)s, %(when)s") % said
    if action == SyncJobAction.DESCRIBE:
        return _("Reading of fields and tags, %(when)s") % said
    if action == SyncJobAction.DELETE:
        return _("Deletion of %(what)s in Marketo, %(when)s") % said
    if action == SyncJobAction.IDENTIFY:
        return _("Look-up of IDs of %(what)s, %(when)s") % said
    if action == SyncJobAction.DRY_RUN:
        return _("Dry run of %(what)s, %(when)s") % said
    if action == SyncJobAction.UNDO:
        return _("Undo for %(what)s, %(when)s") % said
    return _("Sync of %(what)s, %(when)s") % said


def _about(job: SyncJob) -> str:
    """How many records of which kind; only the kind where the number is not known yet."""
    counted = max(job.planned, job.result_count)
    count = counted or _asked_for(job)
    number = {"count": number_format(count, force_grouping=True)}
    if job.action == SyncJobAction.DELETE and job.kind == "Opportunity" and counted:
        # Their roles go with them, and are counted with them.
        return ngettext("%(count)s record", "%(count)s records", count) % number
    if job.kind == "Program":
        return ngettext("%(count)s program", "%(count)s programs", count) % number if count else _("programs")
    if job.kind == "Opportunity":
        words = ngettext("%(count)s opportunity", "%(count)s opportunities", count)
        return words % number if count else _("opportunities")
    if job.kind == "OpportunityPersonRole":
        words = ngettext("%(count)s person role", "%(count)s person roles", count)
        return words % number if count else _("person roles")
    return ngettext("%(count)s record", "%(count)s records", count) % number if count else _("records")


def _asked_for(job: SyncJob) -> int:
    """How many records were selected; 0 if all were, or if the selection, which may be long, was not read."""
    ids = None if "selection" in job.get_deferred_fields() else job.selection.get("ids")
    return len(ids) if isinstance(ids, list | tuple) else 0


def _moment(at: datetime) -> str:
    this_year = at.year == timezone.localdate().year
    of_this_year = pgettext("format of a date in a title", "j M H:i")
    return date_format(at, of_this_year if this_year else pgettext("format of a date in a title", "j M Y H:i"))
