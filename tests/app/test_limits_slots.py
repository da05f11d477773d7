"""How long a slot for a call is kept, whatever becomes of who holds it."""

from __future__ import annotations

import pytest
from redis import Redis

from mobjects.sync.limits import Limits

pytestmark = pytest.mark.django_db

ENDPOINT = "https://123-ABC-456.mktoapi.com/soap/mktows/2_7"


def test_a_slot_outlasts_the_slowest_call(redis_url, settings):
    settings.MARKETO = {**settings.MARKETO, "TIMEOUT_SECONDS": 60}
    with Limits.from_settings(ENDPOINT).call(), Redis.from_url(redis_url) as redis:
        (slot,) = redis.keys("*:slot:*")
        # 10 s to connect, 60 s for the answer, 20 s for what stands before and behind.
        assert 85_000 < redis.pttl(slot) <= 90_000
