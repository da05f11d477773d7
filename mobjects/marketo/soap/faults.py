"""Marketo's SOAP faults: what each code means, what to do, and whether anything can have been applied.

Source: Adobe's "Error Codes" page (SOAP); 20018 appears only in older client libraries. The faultcode element
says "Client" for everything, and every fault comes with HTTP 500, so the code is the only thing to go by.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml import etree

from mobjects.marketo.errors import AuthError, MarketoError, OutcomeUnknown, RefusalReason, Rejected, Unavailable
from mobjects.marking import gettext_noop as _


@dataclass(frozen=True, slots=True)
class FaultRule:
    """What a fault code stands for.

    Args:
        meaning: what happened and what to do, as one plain sentence.
        error: the error it is raised as for a write; see :func:`error_class`.
        trouble: why a request that is right in itself was refused, where that decides what to do next.
    """

    meaning: str
    error: type[MarketoError]
    trouble: RefusalReason | None = None


@dataclass(frozen=True, slots=True)
class MarketoFault:
    """A fault as Marketo sent it: its code (``""`` if it has none) and its own text."""

    code: str
    text: str


CLOCK_FAULT = "20016"

FAULT_RULES: dict[str, FaultRule] = {
    "10001": FaultRule(_("Marketo had a severe internal error; what was applied is not known."), OutcomeUnknown),
    "20011": FaultRule(_("Marketo had an internal error; what was applied is not known."), OutcomeUnknown),
    "20012": FaultRule(_("Marketo did not understand the request; report this as a bug."), Rejected),
    "20013": FaultRule(
        _("Marketo denied access; give the API user the permissions it needs."), AuthError, RefusalReason.ACCESS
    ),
    "20014": FaultRule(
        _("Marketo refused the signature; check MARKETO_USER_ID and MARKETO_ENCRYPTION_KEY."), AuthError
    ),
    "20015": FaultRule(
        _("Marketo's daily quota is used up; send again after its daily reset."), Unavailable, RefusalReason.QUOTA
    ),
    CLOCK_FAULT: FaultRule(
        _("Marketo says the request has expired; check this machine's clock."), AuthError, RefusalReason.EXPIRED
    ),
    "20017": FaultRule(_("A parameter is missing from the request; report this as a bug."), Rejected),
    "20018": FaultRule(_("Marketo could not read the encoding of the request; report this as a bug."), Rejected),
    "20019": FaultRule(
        _("Marketo does not support this operation; choose another one."), Rejected, RefusalReason.UNSUPPORTED
    ),
    "20022": FaultRule(_("The time range asked for is over 30 days; ask for a shorter one."), Rejected),
    "20023": FaultRule(
        _("More than 100 calls came within 20 seconds; send again a little later."), Unavailable, RefusalReason.RATE
    ),
    "20024": FaultRule(
        _("More than 10 calls ran at once; send again later or use fewer workers."), Unavailable, RefusalReason.AT_ONCE
    ),
    "20101": FaultRule(_("Marketo needs a lead key; give the person's key."), Rejected),
    "20102": FaultRule(_("The lead key is bad; correct the person's key."), Rejected),
    "20103": FaultRule(_("Marketo knows no such lead; correct the person."), Rejected),
    "20104": FaultRule(_("Marketo needs details of the lead; add them."), Rejected),
    "20105": FaultRule(_("A lead attribute is bad; correct its name or value."), Rejected),
    "20106": FaultRule(_("Marketo could not sync the lead; correct its values."), Rejected),
    "20107": FaultRule(_("The activity key is bad; correct it."), Rejected),
    "20108": FaultRule(_("Marketo knows no such lead owner; correct the owner."), Rejected),
    "20109": FaultRule(_("A required parameter is missing; add it."), Rejected),
    "20110": FaultRule(_("A parameter is bad; correct it."), Rejected),
    "20111": FaultRule(_("Marketo knows no such list; correct its name."), Rejected),
    "20113": FaultRule(_("Marketo knows no such campaign; correct its name."), Rejected),
    "20114": FaultRule(_("A parameter is bad; correct it."), Rejected),
    "20122": FaultRule(_("The stream position is bad; start reading from the first page."), Rejected),
    "20123": FaultRule(_("The stream is at its end; start reading from the first page."), Rejected),
}

# A code that nobody documented may be an internal error half-way through, so a write must not be taken as refused.
UNKNOWN_RULE = FaultRule(
    _("Marketo answered with a fault that is not documented; what was applied is not known."), OutcomeUnknown
)
_READ_FAILED = _("Marketo had an internal or undocumented error; try again later.")


def error_class(rule: FaultRule, *, write: bool) -> type[MarketoError]:
    """The error a fault is raised as: where a write's outcome would be unknown, a read has simply failed."""
    return Unavailable if rule.error is OutcomeUnknown and not write else rule.error


def fault_rule_for(code: str) -> FaultRule:
    """The rule of a code; undocumented and missing codes have one too."""
    return FAULT_RULES.get(code, UNKNOWN_RULE)


def describe_fault(fault: MarketoFault, *, write: bool) -> str:
    """What to tell the user about a fault, Marketo's own text included."""
    rule = fault_rule_for(fault.code)
    lost = rule.error is OutcomeUnknown and not write
    meaning = _READ_FAILED if lost else rule.meaning
    said = " ".join(fault.text.split()) or _("no reason given")
    if fault.code and fault.code not in said:
        said = f"{fault.code} - {said}"
    return f"{meaning} (Marketo: {said})"


def read_fault(element: etree._Element) -> MarketoFault:
    """Read a ``soap:Fault`` element: the code of its detail, else the digits that its faultstring starts with."""
    texts = {name: _text(element, name) for name in ("code", "message", "faultstring")}
    code = texts["code"]
    if not code.isdecimal():
        digits = re.match(r"\d{5}\b", texts["faultstring"])
        code = digits.group() if digits else ""
    return MarketoFault(code=code, text=texts["message"] or texts["faultstring"])


def _text(fault: etree._Element, name: str) -> str:
    path = (
        "faultstring"
        if name == "faultstring"
        else f"detail/*[local-name()='serviceException']/*[local-name()='{name}']"
    )
    found = fault.xpath(f"string({path})")
    return str(found).strip()
