"""The one UPDATE by which a floor, or a peer, writes down what Marketo answered."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

Outcome = tuple[int, int | str, str]
"""Our own id of a record, the id that Marketo gave it, and Marketo's word."""


def save_outcomes(column: str, saved: Sequence[Outcome]) -> None:
    """Write the outcomes of a batch of opportunities.

    Args:
        column: where Marketo's id goes, ``marketo_id`` or ``marketo_guid``.
        saved: one for each record.
    """
    values = ", ".join(["(%s, %s, %s)"] * len(saved))
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH said(pk, given, status) AS (VALUES {values}) UPDATE mobjects_opportunity "
            f"SET {column} = said.given, last_status = said.status, synced_revision = revision "
            "FROM said WHERE mobjects_opportunity.id = said.pk",
            [value for row in saved for value in row],
        )
