"""Imports made by hand for the tests of their pages: as a check would have left them."""

from __future__ import annotations

from django.utils import timezone

from mobjects.models import Import, ImportChange, ImportGroup, ImportProblem, ImportRow, ImportRowOutcome, ImportState


def imported(**values) -> Import:
    """An import of opportunities that waits for review; ``counts`` are to be given by the test."""
    common = {
        "kind": "opportunities",
        "state": ImportState.REVIEW,
        "username": "alice",
        "file_name": "deals.csv",
        "size": 2048,
        "sha256": "ab" * 32,
        "format": "csv",
        "encoding": "utf-8",
        "delimiter": ",",
        "headers": ["External ID", "Name", "Amount"],
        "samples": [["A", "B"], ["One", "Two"], ["1", "2"]],
        "mapping": ["External ID", "Name", "Amount"],
        "checked_at": timezone.now(),
    }
    return Import.objects.create(**{**common, **values})


def count(of: Import) -> Import:
    """Set the counts to what its rows are."""
    found = list(of.found.values_list("outcome", flat=True))
    of.counts = {outcome: found.count(outcome) for outcome in ImportRowOutcome.values}
    of.rows = len(found)
    of.save()
    return of


def row(of: Import, number: int, outcome: str, **values) -> ImportRow:
    return ImportRow.objects.create(
        imported=of, number=number, outcome=outcome, **{"label": f"Deal {number}", **values}
    )


def problem(of: Import, number: int, **values) -> ImportProblem:
    common = {"column": "Amount", "position": 3, "value": "much", "rule": "“much” is not a number."}
    return ImportProblem.objects.create(imported=of, number=number, **{**common, **values})


def group(of: Import, **values) -> ImportGroup:
    common = {"level": "error", "column": "Amount", "position": 3, "value": "much", "rule": "“much” is not a number."}
    return ImportGroup.objects.create(imported=of, **{**common, "count": 1, "first": 2, **values})


def change(of: Import, number: int, record, **values) -> ImportChange:
    """What the commit did to an opportunity."""
    common = {"record_id": record.pk, "owner_kind": "Opportunity", "owner_id": record.pk, "created": False}
    return ImportChange.objects.create(imported=of, number=number, **{**common, "revision": record.revision, **values})
