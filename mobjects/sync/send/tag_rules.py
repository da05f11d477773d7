"""Which programs hold a tag or a channel that Marketo does not know, as conditions in SQL.

A value that Marketo has accepted and that is not sent again does no harm, even if Marketo offers it for new programs
no more; it holds nothing back. Upper and lower case make no difference (on SQLite: of A to Z).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import (
    Case,
    Exists,
    F,
    OuterRef,
    Q,
    TextField,
    Value,
    When,
    prefetch_related_objects,
)
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, Concat, Lower
from django.utils.translation import gettext_noop as _

from mobjects.db.json_text import JsonKeyText
from mobjects.models import AllowedTag, AllowedValues, Program, ProgramTag
from mobjects.models.program import CHANNEL_TAG

UNKNOWN_TAG = _("it has a tag that Marketo does not know; the program's page says which, and what would be right")
UNKNOWN_CHANNEL = _("its channel is not known in Marketo; the program's page says what would be right")


def has_unknown_tag(*, resend: bool) -> Q:
    """Programs with a tag to be sent whose type or value is not known; none while no tags are known at all.

    Args:
        resend: accepted tags are sent too.
    """
    known = AllowedTag.objects.exclude(type=CHANNEL_TAG)
    pairs = known.annotate(pair=_pair()).values("pair")
    types = known.annotate(plain=Lower("type")).values("plain")
    # As AllowedValues.find_doubt: what may be one value or two is for Marketo to refuse.
    in_doubt = Q(value__contains=AllowedValues.SEPARATOR, plain__in=types)
    mine = ProgramTag.objects.filter(program=OuterRef("pk")).annotate(pair=_pair(), plain=Lower("type"))
    bad = mine.exclude(pair__in=pairs).exclude(in_doubt)
    if not resend:
        bad = bad.annotate(held=_accepted()).exclude(value=F("held"))
    return Q(Exists(known)) & Q(Exists(bad))


def has_unknown_channel(*, resend: bool) -> Q:
    """Programs with a channel to be sent that is not known; none while no channels are known."""
    known = AllowedTag.objects.filter(type=CHANNEL_TAG)
    same = known.annotate(plain=Lower("value")).filter(plain=Lower(OuterRef("channel")))
    unknown = Q(Exists(known)) & ~Q(channel="") & ~Q(Exists(same))
    if resend:
        return unknown
    return unknown & ~Q(channel=Coalesce(KeyTextTransform(CHANNEL_TAG, "accepted"), Value("")))


def explain_unknown_values(held: Sequence[Any]) -> dict[int, str]:
    """What exactly Marketo does not know of programs that are held back for it, with the nearest known values.

    Args:
        held: records with their ``hold``.

    Returns:
        Sentences by our id of the program; other records are left out.
    """
    programs: list[Program] = [record for record in held if record.hold in (UNKNOWN_TAG, UNKNOWN_CHANNEL)]
    if not programs:
        return {}
    allowed = AllowedValues()
    prefetch_related_objects(programs, "tags")
    reasons = {program.pk: " ".join(_problems(program, allowed)) for program in programs}
    return {pk: reason for pk, reason in reasons.items() if reason}


def _problems(program: Program, allowed: AllowedValues) -> list[str]:
    found = [(CHANNEL_TAG, program.channel, allowed.find_problem(CHANNEL_TAG, program.channel))]
    found += [(tag.content_key, tag.value, allowed.find_problem(tag.type, tag.value)) for tag in program.tags.all()]
    new = [problem for name, value, problem in found if problem and program.accepted.get(name) != value]
    return new or [problem for _, _, problem in found if problem]


def _pair() -> Concat:
    # One text, so that a database can look each tag up in a list that it makes once.
    return Concat(Lower("type"), Value("\n"), Lower("value"), output_field=TextField())


def _accepted() -> Coalesce:
    """The value that Marketo has accepted for a tag's type; "" if there is none."""
    held = JsonKeyText(OuterRef("accepted"), Concat(Value("Tag "), F("type"), output_field=TextField()))
    # SQLite cannot look for a name with a quotation mark in it, and would fail.
    safe = Case(When(type__contains='"', then=Value("")), default=held, output_field=TextField())
    return Coalesce(safe, Value(""), output_field=TextField())
