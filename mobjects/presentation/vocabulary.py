"""What statuses, kinds, numbers and spans of time are called. The tables are translated whenever they are read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.utils.functional import lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from mobjects import models
from mobjects.marketo.attributes import EXTERNAL_ID, OTHER_NAMES, STANDARD
from mobjects.models.program import COST_PREFIX, TAG_PREFIX
from mobjects.sync.transport_factory import key_fields

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

_COST = re.compile(rf"^{COST_PREFIX}\d+\b")
_LABELS = {name: name for name in OTHER_NAMES.values()}
_LABELS |= {attribute.name: attribute.label for known in STANDARD.values() for attribute in known}

SEPARATOR = " · "
"""Between things that stand on one line."""

STATUS_ORDER = (
    *models.SyncResult.PROBLEM_STATUSES,
    models.SyncResultStatus.DIFFERS,
    models.SyncResultStatus.MISSING,
    models.SyncResultStatus.PENDING,
    models.SyncResultStatus.PLANNED,
    models.SyncResultStatus.CREATED,
    models.SyncResultStatus.UPDATED,
    models.SyncResultStatus.DELETED,
    models.SyncResultStatus.ADDED,
    models.SyncResultStatus.TAKEN,
    models.SyncResultStatus.UNCHANGED,
    models.SyncResultStatus.EQUAL,
    models.SyncResultStatus.SAME,
)
"""What needs a person first, what went well last. Steps on the way are not counted and not here."""


def _lowered(label: StrOrPromise) -> str:
    return str(label).lower()


_lower = lazy(_lowered, str)

STATUS_WORDS: dict[str, StrOrPromise] = {status.value: _lower(status.label) for status in models.SyncResultStatus} | {
    models.SyncResultStatus.UNKNOWN: gettext_lazy("with an unknown outcome"),
    models.SyncResultStatus.CONFLICT: gettext_lazy("waiting for a decision"),
    models.SyncResultStatus.EQUAL: gettext_lazy("with nothing to send"),
    models.SyncResultStatus.SAME: gettext_lazy("without a difference"),
    models.SyncResultStatus.DIFFERS: gettext_lazy("different in Marketo"),
    models.SyncResultStatus.DELETED: gettext_lazy("deleted in Marketo"),
    models.SyncResultStatus.TAKEN: gettext_lazy("taken from Marketo"),
    models.SyncResultStatus.MISSING: gettext_lazy("not in Marketo"),
    models.SyncResultStatus.PLANNED: gettext_lazy("to be sent"),
}
"""What stands behind a number of records."""

KIND_WORDS: dict[str, StrOrPromise] = {
    "Program": gettext_lazy("programs"),
    "Opportunity": gettext_lazy("opportunities"),
    "OpportunityPersonRole": gettext_lazy("person roles"),
}
"""What records of a kind are called."""

DONE_WORDS: dict[str, StrOrPromise] = {
    models.SyncJobAction.PULL: gettext_lazy("read"),
    models.SyncJobAction.COMPARE: gettext_lazy("compared"),
    models.SyncJobAction.DELETE: gettext_lazy("deleted in Marketo"),
    models.SyncJobAction.IDENTIFY: gettext_lazy("looked up"),
}
"""What a job has done with records; one that is not here had them accepted."""


def done_words(action: str) -> StrOrPromise:
    """What a job with an action has done with records."""
    return DONE_WORDS.get(action, _("accepted"))


def records_text(count: int) -> str:
    """``1 record``, ``1,234 records``."""
    return ngettext("%(count)s record", "%(count)s records", count) % {"count": f"{count:,}"}


def kind_count_text(kind: str, count: int) -> str:
    """``412 opportunities``; records for what is no kind."""
    number = {"count": f"{count:,}"}
    if kind == "Program":
        return ngettext("%(count)s program", "%(count)s programs", count) % number
    if kind == "Opportunity":
        return ngettext("%(count)s opportunity", "%(count)s opportunities", count) % number
    if kind == "OpportunityPersonRole":
        return ngettext("%(count)s person role", "%(count)s person roles", count) % number
    return records_text(count)


def selected_text(kind: str, count: int) -> str:
    """``412 selected opportunities``; records for what is no kind."""
    number = {"count": f"{count:,}"}
    if kind == "Program":
        return ngettext("%(count)s selected program", "%(count)s selected programs", count) % number
    if kind == "Opportunity":
        return ngettext("%(count)s selected opportunity", "%(count)s selected opportunities", count) % number
    if kind == "OpportunityPersonRole":
        return ngettext("%(count)s selected person role", "%(count)s selected person roles", count) % number
    return ngettext("%(count)s selected record", "%(count)s selected records", count) % number


def status_count_text(status: str, count: int) -> str:
    """``15 failed``."""
    return _("%(count)s %(status)s") % {"count": f"{count:,}", "status": STATUS_WORDS[status]}


def status_counts(counts: Mapping[str, int], statuses: Sequence[models.SyncResultStatus]) -> list[str]:
    """The numbers of those statuses that there are, in this order."""
    return [status_count_text(status, counts[status]) for status in statuses if counts.get(status)]


def join_or(words: Sequence[StrOrPromise]) -> str:
    """``a, b or c``."""
    if len(words) < 2:
        return "".join(map(str, words))
    return _("%(several)s or %(last)s") % {"several": ", ".join(map(str, words[:-1])), "last": words[-1]}


def join_and(words: Sequence[StrOrPromise]) -> str:
    """``a, b and c``."""
    if len(words) < 2:
        return "".join(map(str, words))
    return _("%(several)s and %(last)s") % {"several": ", ".join(map(str, words[:-1])), "last": words[-1]}


def join_each(words: Sequence[str]) -> str:
    """``a and b and c``, of things that are not alike."""
    said = words[0] if words else ""
    for each in words[1:]:
        said = _("%(several)s and %(last)s") % {"several": said, "last": each}
    return said


def format_duration(span: timedelta | float | None) -> str:
    """A time span, given as such or in seconds: ``40 ms``, ``1.4 s``, ``12 s``, ``3 min 5 s``, ``2 h 10 min``."""
    if span is None:
        return ""
    seconds = span.total_seconds() if isinstance(span, timedelta) else float(span)
    if seconds < 0.9995:
        return _("%(milliseconds)s ms") % {"milliseconds": f"{seconds * 1000:.0f}"}
    if seconds < 9.95:
        return _("%(seconds)s s") % {"seconds": f"{seconds:.1f}"}
    whole = round(seconds)
    if whole < 60:
        return _("%(seconds)s s") % {"seconds": whole}
    if whole < 3600:
        return _("%(minutes)s min %(seconds)s s") % {"minutes": whole // 60, "seconds": whole % 60}
    return _("%(hours)s h %(minutes)s min") % {"hours": whole // 3600, "minutes": whole % 3600 // 60}


def removed_text(removed_at: datetime | None, since: datetime | None) -> str:
    """That values are not kept any more, as a sentence; "" while they are.

    Args:
        removed_at: when they were removed; ``None`` if they were not.
        since: when what they belong to had ended.
    """
    if removed_at is None:
        return ""
    days = (removed_at - (since or removed_at)).days
    return ngettext(
        "The values were removed after %(days)s day.", "The values were removed after %(days)s days.", days
    ) % {"days": f"{days:,}"}


def field_text(name: str) -> str:
    """A field's name as shown: its label, which forms have too. A custom field has its own name in each language.

    A cost is kept under our own number, which means nothing to people.

    Args:
        name: as it stands among the values of a record.
    """
    if _COST.match(name):
        return _COST.sub(_("Period cost"), name)
    if name.startswith(TAG_PREFIX):
        return _("Tag %(type)s") % {"type": name.removeprefix(TAG_PREFIX)}
    if name == key_fields().opportunity:
        return _(EXTERNAL_ID)
    return _(_LABELS[name]) if name in _LABELS else name
