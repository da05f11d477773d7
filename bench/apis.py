"""The APIs that are measured: which of them is in use, and what the least is that one can do over each."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import requests
from django.conf import settings

from bench import floor, floor_rest
from bench.surroundings import Surroundings
from mobjects.marketo.types import Kind, Operation, OutgoingBatch
from mobjects.sync.content.loading import load_records
from mobjects.sync.content.payload import Payload, build_payload, record_content
from mobjects.sync.transport_factory import key_fields, open_transport

Floor = Callable[[Surroundings, Sequence[int], int], AbstractContextManager[Callable[[], None]]]


@dataclass(frozen=True)
class Api:
    """One API.

    Args:
        name: as ``MARKETO_TRANSPORT`` has it.
        floor_words: what its floor does.
        prepare_floor: given ids of opportunities and the size of a batch, a context with what sends them all.
    """

    name: str
    floor_words: str
    prepare_floor: Floor

    def select(self) -> int:
        """Let this process, and those that it starts from now on, use this API.

        Returns:
            How many opportunities one call takes.
        """
        settings.MARKETO["TRANSPORT"] = os.environ["MARKETO_TRANSPORT"] = self.name
        return open_transport().limit(Kind.OPPORTUNITY, Operation.UPSERT) or 1


def build_batches(ids: Sequence[int], size: int) -> list[OutgoingBatch]:
    """What the API in use gets for opportunities."""
    keys, records = key_fields(), load_records(Kind.OPPORTUNITY, ids)
    built = [build_payload(record, Operation.UPSERT, keys) for record in records]
    wire = [part.record for part in built if isinstance(part, Payload)]
    if len(wire) != len(ids):
        raise RuntimeError(f"only {len(wire)} of {len(ids)} opportunities can be sent")
    return [OutgoingBatch(Operation.UPSERT, wire[start : start + size]) for start in range(0, len(wire), size)]


def rest_bodies(ids: Sequence[int], size: int) -> list[dict[str, object]]:
    """The JSON that we send over REST for opportunities, call by call."""
    transport = open_transport()
    transport.describe(Kind.OPPORTUNITY)  # With the types of the instance's fields, as when it is sent.
    return [json.loads(transport.render(batch).partition("\n\n")[2]) for batch in build_batches(ids, size)]


@contextmanager
def _soap(around: Surroundings, ids: Sequence[int], size: int) -> Iterator[Callable[[], None]]:
    keys, endpoint = key_fields(), settings.MARKETO["SOAP_ENDPOINT"]
    rows = [(record.pk, record_content(record, keys)) for record in load_records(Kind.OPPORTUNITY, ids)]
    with requests.Session() as session:

        def work() -> None:
            for start in range(0, len(rows), size):
                floor.send(session, endpoint, rows[start : start + size])

        yield work


@contextmanager
def _rest(around: Surroundings, ids: Sequence[int], size: int) -> Iterator[Callable[[], None]]:
    bodies = rest_bodies(ids, size)
    with floor_rest.open_client(around.url) as client:

        def work() -> None:
            for number, body in enumerate(bodies):
                floor_rest.send(client, ids[number * size : (number + 1) * size], body)

        yield work


APIS = (
    Api("soap", "lxml, requests, lxml, one UPDATE", _soap),
    Api("rest", "json, httpx, json, one UPDATE", _rest),
)
