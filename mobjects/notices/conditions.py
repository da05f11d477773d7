"""What lasts: each beginning and each end is noticed once, whoever looks and however often."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction

from mobjects import clock
from mobjects.models import NoticeEvent, OpenCondition
from mobjects.notices.making import make_notice

Facts = Mapping[str, Any]


def compare_conditions(
    event: NoticeEvent, found: Mapping[str, Facts], *, grace: timedelta = timedelta(0), among: Collection[str] = ()
) -> None:
    """Notice what has begun and what is over.

    Args:
        event: of this sort.
        found: what lasts now: what it is about, and the facts.
        grace: so long it has to last to be spoken of.
        among: only what is about these was looked at; by default all.
    """
    known = {each.about: each for each in OpenCondition.objects.filter(event=event) if not among or each.about in among}
    for about, facts in found.items():
        open_condition(event, about, facts, grace=grace, known=known.pop(about, None))
    for each in known.values():
        close_condition(each)


def open_condition(
    event: NoticeEvent,
    about: str,
    facts: Facts,
    *,
    grace: timedelta = timedelta(0),
    known: OpenCondition | None = None,
) -> None:
    """Write down that something lasts; make a notice of it once, when it has lasted for the grace.

    Args:
        known: its row, where that was read already.
    """
    condition = known
    if condition is None:
        values = {"facts": dict(facts), "since": clock.now()}
        condition, _made = OpenCondition.objects.get_or_create(event=event, about=about, defaults=values)
    if condition.noticed_at is not None or (grace and clock.now() - condition.since < grace):
        return
    with transaction.atomic():
        fresh = OpenCondition.objects.filter(pk=condition.pk, noticed_at=None)
        if fresh.update(noticed_at=clock.now()):
            make_notice(event, about, facts)


def close_condition(condition: OpenCondition) -> None:
    """Write down that something is over; make a notice of it if its beginning was noticed."""
    with transaction.atomic():
        if OpenCondition.objects.filter(pk=condition.pk, noticed_at=None).delete()[0]:
            return
        if OpenCondition.objects.filter(pk=condition.pk).delete()[0]:
            make_notice(NoticeEvent(condition.event), condition.about, condition.facts, is_recovery=True)


def close_about(events: Collection[NoticeEvent], abouts: Collection[str]) -> None:
    """The same for what lasts of some events about some things."""
    for each in OpenCondition.objects.filter(event__in=events, about__in=abouts):
        close_condition(each)
