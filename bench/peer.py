"""The peer: the public client marketorestpython sends the same records, one call after the other.

It has no history, no limits and no other worker. What it gets for each record is written back by one UPDATE a call, the
quickest way there is; making the JSON of the records is not part of its time.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from marketorestpython.client import MarketoClient

from bench.apis import rest_bodies
from bench.floor_rest import read_outcomes
from bench.floor_saving import save_outcomes
from bench.records import opportunities
from bench.surroundings import Surroundings
from mobjects.sandbox import CLIENT_ID, CLIENT_SECRET

SPEAKS = "rest"


def measure(
    around: Surroundings, say: Callable[[str], None], records: int, size: int, answer_seconds: float, *, ours: float
) -> None:
    """Print its seconds for new records, and how many times its records per second ours are."""
    around.reset()
    ids = opportunities(records)
    bodies = rest_bodies(ids, size)
    client = MarketoClient("local", CLIENT_ID, CLIENT_SECRET, max_retry_time=1, requests_timeout=60)
    client.host = around.url  # It knows Marketo's own hosts only.
    around.control("faults", {"kind": "slow", "seconds": answer_seconds, "times": 10 * len(bodies)})
    started = time.perf_counter()
    for number, body in enumerate(bodies):
        rows = client.execute(method="create_update_opportunities", **body)
        save_outcomes("marketo_guid", read_outcomes(ids[number * size : (number + 1) * size], rows))
    seconds = time.perf_counter() - started
    say(f"  marketorestpython: {seconds:.1f} s, {records / seconds:,.0f} records/s; ours {seconds / ours:.1f} ×")
