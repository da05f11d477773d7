"""Timestamp and signature. Expected values come from Marketo's documents or from openssl, never from our code."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from mobjects.marketo.soap.signature import compute_signature
from mobjects.marketo.value_text import format_datetime


def test_published_vector():
    user, key = "bigcorp1_461839624B16E06BA2D663", "899756834129871744AAEE88DDCC77CDEEDEC1AAAD66"
    assert compute_signature("2010-04-09T14:04:54-07:00", user, key) == "ffbff4d4bef354807481e66dc7540f7890523a87"


# printf '%s' "$timestamp$user" | openssl dgst -sha1 -hmac "$key"
@pytest.mark.parametrize(
    ("moment", "user", "key", "expected"),
    [
        (
            "2013-08-05T14:22:45-07:00",
            "demo17_1_809934544BFABAE58E5D27",
            "demo-key-0123456789",
            "ba7c4053dcbb47a7d017e2fa05c1a9b1b1587295",
        ),
        ("2026-11-23T09:00:00+09:00", "사용자_1", "비밀-키-ß", "4830073d15848c65d934e83fff2dba2a31f7a1e6"),
        ("2024-02-29T23:59:59+00:00", "u", "a", "292c775734af78a5bc2307ccedff8f63f7b6d457"),
    ],
)
def test_openssl_vectors(moment, user, key, expected):
    assert compute_signature(moment, user, key) == expected


def test_timestamp_has_offset_with_colon_and_whole_seconds():
    pacific = timezone(timedelta(hours=-7))
    assert format_datetime(datetime(2013, 8, 5, 14, 22, 45, 999_999, tzinfo=pacific)) == "2013-08-05T14:22:45-07:00"
    assert format_datetime(datetime(2013, 8, 5, 21, 22, 45, tzinfo=UTC)) == "2013-08-05T21:22:45+00:00"


def test_timestamp_without_zone_is_refused():
    with pytest.raises(ValueError, match="no time zone"):
        format_datetime(datetime(2013, 8, 5, 14, 22, 45))
