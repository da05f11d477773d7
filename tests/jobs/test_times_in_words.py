"""The times of a schedule in words."""

from __future__ import annotations

import pytest

from mobjects.jobs.timetables.words import describe_times


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("*/15 * * * *", "Every 15 minutes"),
        ("0 * * * *", "Every hour"),
        ("0 */4 * * *", "Every 4 hours"),
        ("5 0 * * *", "Every day at 00:05"),
        ("0 8 * * 1-5", "Monday to Friday at 08:00"),
        ("0 8 * * 0,3", "Wednesday, Sunday at 08:00"),
        ("0 8 15 * *", "On day 15 of each month at 08:00"),
        ("0 8 L * *", "On the last day of each month at 08:00"),
        ("0 8 1 1 *", ""),
    ],
)
def test_plain_times_have_words(cron, words):
    assert describe_times(cron) == words
