"""Marketo's REST codes: what each means, what to do, and whether anything can have been applied.

Source: Adobe's developer pages, "Error codes". An answer comes with HTTP 200 whatever happened, so the code is the only
thing to go by. Codes of the 600s mean by these pages that nothing was carried out; 604 (and 502) are time-outs all the
same, behind which Marketo may have done the work. Codes from 1001 belong to single records, and to a whole answer where
all of it was refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mobjects.marketo.errors import AuthError, MarketoError, OutcomeUnknown, RefusalReason, Rejected, Unavailable
from mobjects.marking import gettext_noop as _


class RecordProblem(StrEnum):
    """Why Marketo skipped a record, where that may be what was wanted, or decides what to do next."""

    EXISTS = "exists"
    """There is such a record already."""
    MISSING = "missing"
    """There is no such record, or what it points to is not there."""
    AMBIGUOUS = "ambiguous"
    """Several records have this key."""


@dataclass(frozen=True, slots=True)
class CodeRule:
    """What a code stands for.

    Args:
        meaning: what happened and what to do, as one plain sentence.
        error: the error that a whole answer with it is raised as for a write; see :func:`error_for`.
        trouble: why a request that is right in itself was refused, where that decides what to do next.
        record: what it says of a single record.
    """

    meaning: str
    error: type[MarketoError]
    trouble: RefusalReason | None = None
    record: RecordProblem | None = None


TOKEN_CODES = frozenset({"600", "601", "602"})
"""Marketo did not accept the token and did nothing."""
NOTHING_FOUND = frozenset({"702", "710"})
"""Asked for an asset that is not there, Marketo may answer with one of these instead of an empty list."""
BLOCKED_CODE = "1018"

_BUG = _("report this as a bug")

CODE_RULES: dict[str, CodeRule] = {
    "500": CodeRule(_("Marketo had an internal error; what was applied is not known."), OutcomeUnknown),
    "502": CodeRule(_("A gateway lost Marketo's answer; what was applied is not known."), OutcomeUnknown),
    "600": CodeRule(_("Marketo found no token in the call; send again."), AuthError, RefusalReason.EXPIRED),
    "601": CodeRule(
        _("Marketo does not know the token; send again with a fresh one."), AuthError, RefusalReason.EXPIRED
    ),
    "602": CodeRule(_("The token has expired; send again with a fresh one."), AuthError, RefusalReason.EXPIRED),
    "603": CodeRule(
        _(
            "Marketo denied access; give the API user the permission, and allow this address if Marketo checks "
            "addresses."
        ),
        AuthError,
        RefusalReason.ACCESS,
    ),
    "604": CodeRule(_("Marketo took too long; what was applied is not known."), OutcomeUnknown),
    "605": CodeRule(
        _("Marketo does not take this HTTP method here; %(cure)s.") % {"cure": _BUG},
        Rejected,
        RefusalReason.UNSUPPORTED,
    ),
    "606": CodeRule(
        _("More than 100 calls came within 20 seconds; send again a little later."), Unavailable, RefusalReason.RATE
    ),
    "607": CodeRule(
        _("Marketo's daily quota is used up; send again after its daily reset."), Unavailable, RefusalReason.QUOTA
    ),
    "608": CodeRule(_("Marketo's API is not available at the moment; send again later."), Unavailable),
    "609": CodeRule(_("Marketo could not read the request as JSON; %(cure)s.") % {"cure": _BUG}, Rejected),
    "610": CodeRule(_("Marketo has nothing at this address; check MARKETO_REST_ENDPOINT."), Rejected),
    "611": CodeRule(_("Marketo had a system error; what was applied is not known."), OutcomeUnknown),
    "612": CodeRule(
        _("Marketo does not take this content type; %(cure)s.") % {"cure": _BUG}, Rejected, RefusalReason.UNSUPPORTED
    ),
    "613": CodeRule(_("Marketo could not read the parts of the request; %(cure)s.") % {"cure": _BUG}, Rejected),
    "614": CodeRule(_("Marketo cannot reach this subscription at the moment; send again later."), Unavailable),
    "615": CodeRule(
        _("More than 10 calls ran at once; send again later or use fewer workers."), Unavailable, RefusalReason.AT_ONCE
    ),
    "616": CodeRule(
        _("This subscription does not offer the call; ask Adobe what it includes."), Rejected, RefusalReason.UNSUPPORTED
    ),
    "701": CodeRule(_("A required value is blank; fill it in."), Rejected),
    "702": CodeRule(_("Marketo found no such record; correct what it is looked up by."), Rejected),
    "703": CodeRule(
        _("This instance has not switched the feature on; ask Adobe to do it."), Rejected, RefusalReason.UNSUPPORTED
    ),
    "704": CodeRule(_("A date is not in the form that Marketo reads; correct it."), Rejected),
    "709": CodeRule(_("The change breaks a rule of Marketo; follow what it says."), Rejected),
    "710": CodeRule(_("Marketo found no such folder; correct what it is looked up by."), Rejected),
    "711": CodeRule(_("The folder is of the wrong type; choose another one."), Rejected),
    "713": CodeRule(_("Marketo had a passing error; send again later."), Unavailable),
    "718": CodeRule(_("Marketo knows no such sales person; correct the external ID of the sales person."), Rejected),
    "719": CodeRule(_("Marketo waited too long for another change to end; send again later."), Unavailable),
    "1001": CodeRule(_("A value is of the wrong type; correct it."), Rejected),
    "1002": CodeRule(_("A required parameter is missing; add it."), Rejected),
    "1003": CodeRule(_("A value or the way of sending is not allowed; correct it."), Rejected),
    "1004": CodeRule(_("Marketo knows no such person; correct the person."), Rejected, record=RecordProblem.MISSING),
    "1006": CodeRule(_("The instance has no such field; read the fields of the instance again."), Rejected),
    "1007": CodeRule(
        _("Several records have this key; merge them in Marketo."), Rejected, record=RecordProblem.AMBIGUOUS
    ),
    "1008": CodeRule(_("The API user may not use this partition; give it the right."), Rejected),
    "1009": CodeRule(_("Marketo wants a partition; name it."), Rejected),
    "1010": CodeRule(_("The partition may not be changed; leave it as it is."), Rejected),
    "1011": CodeRule(_("Marketo cannot look records up by this field; choose another one."), Rejected),
    "1013": CodeRule(_("Marketo knows no such record; correct its key."), Rejected, record=RecordProblem.MISSING),
    "1014": CodeRule(_("Marketo could not create the record; correct its values."), Rejected),
    "1017": CodeRule(_("There is such a record already; update it instead."), Rejected, record=RecordProblem.EXISTS),
    BLOCKED_CODE: CodeRule(
        _(
            "The CRM's native sync owns opportunities and roles in this instance, so the API may not change them; "
            "change them in the CRM."
        ),
        AuthError,
        RefusalReason.ACCESS,
    ),
    "1022": CodeRule(_("Something in Marketo still uses the record; end that first."), Rejected),
    "1036": CodeRule(_("The same key stands in the call twice; send the two apart."), Rejected),
    "1173": CodeRule(_("A campaign of the program fixes its channel; change the campaign first."), Rejected),
}

# A code that nobody documented may be an internal error half-way through, so a write must not be taken as refused.
UNKNOWN_CODE = CodeRule(
    _("Marketo answered with a code that is not documented; what was applied is not known."), OutcomeUnknown
)
_READ_FAILED = _("Marketo had an internal or undocumented error; try again later.")


def error_for(rule: CodeRule, *, write: bool) -> type[MarketoError]:
    """The error a code is raised as: where a write's outcome would be unknown, a read has simply failed."""
    return Unavailable if rule.error is OutcomeUnknown and not write else rule.error


def code_rule_for(code: str) -> CodeRule:
    """The rule of a code; undocumented and missing codes have one too."""
    return CODE_RULES.get(code, UNKNOWN_CODE)


def record_problem(code: str) -> RecordProblem | None:
    """What a reason says of the record that Marketo skipped; ``None`` if it is final and nothing else."""
    return code_rule_for(code).record


def describe_code(code: str, text: str, *, write: bool) -> str:
    """What to tell the user about a refused call, Marketo's own text included."""
    rule = code_rule_for(code)
    lost = rule.error is OutcomeUnknown and not write
    return _("%(meaning)s (Marketo: %(said)s)") % {
        "meaning": _READ_FAILED if lost else rule.meaning,
        "said": quote_reason(code, text),
    }


def quote_reason(code: str, text: str) -> str:
    """A code and Marketo's words on it in one line."""
    said = " ".join(text.split()) or _("no reason given")
    return f"{code} - {said}" if code and code not in said else said
