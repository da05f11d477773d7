"""Why Marketo, or we, did not take a record, and what to do about it, in plain words."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from mobjects.models import SyncResultStatus as Status


@dataclass(frozen=True, slots=True)
class FailureAdvice:
    """What a reason means.

    Args:
        cause: as a sentence.
        remedy: what to do, as a sentence.
    """

    cause: object
    remedy: object


_MISSING = FailureAdvice(_("A value that Marketo needs is empty."), _("Fill it in, then send the record again."))
_NOT_ALLOWED = FailureAdvice(
    _("Marketo does not take a value."), _("Choose a value that Marketo knows, then send the record again.")
)
_WRONG_TYPE = FailureAdvice(
    _("A value is not of the kind that its field holds, or too long."), _("Correct it, then send the record again.")
)
_NO_FIELD = FailureAdvice(
    _("This Marketo has no such field."),
    _("Read fields and tags again; correct the custom field, or have it made in Marketo."),
)
_NOT_THERE = FailureAdvice(
    _("What the record points to is not in Marketo."),
    _("Check the ID or key of the person, the company or the opportunity; send what is missing first."),
)
_DOUBLE = FailureAdvice(
    _("Marketo has such a record already, or several."),
    _("Look for the doubles in Marketo, and give the record the ID or key of the right one."),
)
_DENIED = FailureAdvice(
    _("The API user may not do this."), _("Ask the Marketo administrator for the permission, then retry the group.")
)
_BUSY = FailureAdvice(
    _("Marketo had no time for it, or was not there."), _("Nothing is wrong with the record: retry the group.")
)

_BY_WORDS: tuple[tuple[re.Pattern[str], FailureAdvice], ...] = tuple(
    (re.compile(words, re.IGNORECASE), advice)
    for words, advice in (
        (r"no such field|unknown field|field .* not found|(?:100[36]).*\bfield\b.*exist", _NO_FIELD),
        (r"required|blank|missing|must not be empty|cannot be (?:null|empty)|needs? an? ", _MISSING),
        (r"duplicate|already exist|several records|such a record already|more than one", _DOUBLE),
        (r"denied|permission|not authori[sz]ed|partition|may not be changed", _DENIED),
        (r"not found|does not exist|no such|there is no|knows no|unknown (?:person|lead|company)", _NOT_THERE),
        (
            r"wrong type|too long|not a (?:number|date)|format|exceeds|maximum|invalid (?:date|number|integer)",
            _WRONG_TYPE,
        ),
        (r"not allowed|not (?:a )?valid|invalid|does not know|unknown value|refused", _NOT_ALLOWED),
        (r"too many|quota|rate limit|time.?out|not available|could not be reached|try again|passing error", _BUSY),
    )
)
_BY_STATUS = {
    Status.UNKNOWN: FailureAdvice(
        _("No answer came, so nobody knows whether Marketo has it."),
        _("Send it again: it is looked up in Marketo first, and sent only where that is safe."),
    ),
    Status.CONFLICT: FailureAdvice(
        _("It was changed here and in Marketo, or fits several objects there."),
        _("Decide which values are right, under “To decide”."),
    ),
    Status.HELD: FailureAdvice(
        _("It was not sent, because Marketo would have refused it or doubled it."),
        _("Do what the reason says, then send the record again."),
    ),
    Status.NOT_SENT: FailureAdvice(
        _("The call did not get through; nothing of it was applied."),
        _("Nothing is wrong with the record: retry the group."),
    ),
    Status.SKIPPED: FailureAdvice(
        _("Marketo left it as it was."), _("Read the reason; correct the record, or leave it if that is right.")
    ),
}
_OTHER = FailureAdvice(
    _("Marketo did not take the record."), _("Read Marketo's words, correct the record, then send it again.")
)


def advise(status: str, reason: str) -> FailureAdvice:
    """What a result that was not accepted means.

    Args:
        status: of the result.
        reason: its text, masked or not.
    """
    if status in (Status.UNKNOWN, Status.CONFLICT, Status.NOT_SENT):
        return _BY_STATUS[Status(status)]
    by_words = next((advice for words, advice in _BY_WORDS if words.search(reason)), None)
    if status == Status.HELD or by_words is None:
        return _BY_STATUS.get(Status(status), _OTHER)
    return by_words
