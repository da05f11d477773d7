"""Programs as they are sent in the tests."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from mobjects.marketo.types import Kind, OutgoingCost, OutgoingRecord, RemoteCost, TagValue

PROGRAM = 1001
NAME = "2026-01 Webinar - Cloud Cost Control"

CostText = tuple[str, str, str]
"""Month, amount and note."""


def remote(month: str, amount: str, note: str = "") -> RemoteCost:
    """A cost as Marketo accepted it."""
    return RemoteCost(None, date.fromisoformat(f"{month}-01"), Decimal(amount), note)


def new(month: str, amount: str, note: str = "") -> OutgoingCost:
    return OutgoingCost(date.fromisoformat(f"{month}-01"), Decimal(amount), note or None)


def changed(old: RemoteCost, amount: str, note: str = "") -> OutgoingCost:
    return OutgoingCost(old.month, Decimal(amount), note, accepted=old)


def program(**given: Any) -> OutgoingRecord:
    """A program to be updated; tags as a mapping."""
    tags = [TagValue(name, value) for name, value in given.pop("tags", {}).items()]
    return OutgoingRecord(Kind.PROGRAM, **{"marketo_id": PROGRAM, "name": NAME, "tags": tags, **given})
