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


def read_conditions(event: NoticeEvent) -> dict[str, OpenCondition]:
    """What is known to last, by what it is about.

    To be read before it is looked at what lasts: what another process saw begin in between is not over.
    """
    return {each.about: each for each in OpenCondition.objects.filter(event=event)}


def compare_conditions(
    event: NoticeEvent,
    known: Mapping[str, OpenCondition],
    found: Mapping[str, Facts],
    *,
    grace: timedelta = timedelta(0),
    among: Collection[str] = (),
) -> None:
    """Notice what has begun and what is over.

    Args:
        event: of this sort.
        known: from :func:`read_conditions`.
        found: what lasts now, looked at after that: what it is about, and the facts.
        grace: so long it has to last to be spoken of.
        among: only what is about these was looked at; by default all.
    """
    for about, facts in found.items():
        open_condition(event, about, facts, grace=grace, known=known.get(about))
    for about, each in known.items():
        if about not in found and (not among or about in among):
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
