"""What a type of programs is called: one way where a program tells it, another where tag types and channels do.

Source: Adobe's developer pages on programs, tags and channels. Neither list is taken for complete: a type that is not
known here fits everything, and Marketo decides.
"""

from __future__ import annotations

from mobjects.marketo.errors import MarketoError
from mobjects.marketo.rest.programs.logged_calls import LoggedCalls
from mobjects.marking import gettext_noop as _

_APPLICABLE = {
    "default": "program",
    "email": "email_batch",
    "engagement": "nurture",
    "nurture": "nurture",
    "event": "event",
    "eventwithwebinar": "webinar",
    "event with webinar": "webinar",
    "webinar": "webinar",
}


def applicable_type(program_type: str) -> str:
    """What tag types and channels call a program's type; "" if that is not known."""
    return _APPLICABLE.get(program_type.strip().casefold(), "")


def read_list(text: object, separator: str = ",") -> list[str]:
    """A list as Marketo writes it, ``[program,event]`` or ``[AMER, APAC]``: text in brackets, no JSON.

    Args:
        text: Marketo's.
        separator: between its parts; a value that holds it cannot be told from two.
    """
    inner = str(text or "").strip().removeprefix("[").removesuffix("]")
    return [part for each in inner.split(separator) if (part := each.strip())]


def fits_program(program_type: str, applicable: list[str]) -> bool:
    """Whether a tag type or a channel is for programs of a type, as far as can be told."""
    wanted = applicable_type(program_type)
    known = {each.casefold() for each in applicable}
    return not wanted or not known or wanted in known or not known <= set(_APPLICABLE.values())


def explain_program_type(calls: LoggedCalls, tag_type: str, program_type: str) -> str:
    """Why a tag was refused, if it is for other types of programs: a sentence and a blank, or "". Makes one call."""
    try:
        reply = calls.read("/rest/asset/v1/tagType/byName.json", {"name": tag_type})
    except MarketoError:
        return ""  # It would only have explained.
    for entry in reply.result:
        applicable = read_list(entry.get("applicableProgramTypes")) if isinstance(entry, dict) else []
        if not fits_program(program_type, applicable):
            return _(
                "It is for programs of the type %(applicable)s, and this one is of the type %(program_type)s. "
            ) % {"applicable": ", ".join(applicable), "program_type": program_type}
    return ""
