"""A transport of the tests' own. What its entry says is all that the site is told about it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mobjects.marketo.errors import MarketoError, Rejected
from mobjects.marketo.transport import ConnectionVerdict, PingResult
from mobjects.marketo.transport_entry import Config, Setting, TransportEntry
from mobjects.marketo.transport_traits import DEFAULT_TRAITS
from mobjects.marketo.types import (
    BatchResponse,
    CallsToday,
    DescribeResponse,
    Exchange,
    Kind,
    MarketoId,
    MarketoQuery,
    Operation,
    OutcomeStatus,
    OutgoingBatch,
    OutgoingRecord,
    QueryPage,
    RecordOutcome,
    TagValuesResponse,
)

LINE = Setting("TELEX_LINE", "Telex line")
NUMBER = Setting("TELEX_NUMBER", "Telex number")
CODE_WORD = Setting("TELEX_CODE_WORD", "Code word", secret=True)
SECRET, TOKEN = 'code "word"', "token-of-the-day"
SETTINGS = {
    "TRANSPORT": "telex",
    LINE.name: "https://telex.example/line",
    NUMBER.name: "4711",
    CODE_WORD.name: SECRET,
}


class TelexTransport:
    """Accepts whatever it is sent. Careless: what it tells of a call holds its code word and the token of the day."""

    name = "telex"
    delete_limit = 10
    traits = DEFAULT_TRAITS

    def __init__(self, config: Config, received: list[OutgoingRecord], failing: MarketoError | None = None) -> None:
        self.endpoint, self.caller = config[LINE.name], config[NUMBER.name]
        self._code_word = config[CODE_WORD.name]
        self._received = received
        self._failing = failing

    def limit(self, kind: Kind, operation: Operation) -> int | None:
        return 10

    def problem(self, record: OutgoingRecord, operation: Operation) -> str:
        return ""

    def render(self, batch: OutgoingBatch) -> str:
        return f"{batch.operation} {len(batch.records)}"

    def send(self, batch: OutgoingBatch) -> BatchResponse:
        if self._failing:
            raise self._failing
        self._received += batch.records
        outcomes = [RecordOutcome(OutcomeStatus.CREATED, number) for number, _ in enumerate(batch.records, start=5001)]
        return BatchResponse(outcomes, self._exchange(self.render(batch)))

    def find(self, query: MarketoQuery, position: str = "") -> QueryPage:
        return QueryPage([], False, "", self._exchange("find"))

    def delete(self, kind: Kind, ids: Sequence[MarketoId]) -> BatchResponse:
        return BatchResponse([RecordOutcome(OutcomeStatus.DELETED, number) for number in ids], self._exchange("delete"))

    def describe(self, kind: Kind) -> DescribeResponse:
        raise Rejected("A telex describes nothing.")

    def tags(self) -> TagValuesResponse:
        return TagValuesResponse({}, self._exchange("tags"))

    def channels(self) -> TagValuesResponse:
        return TagValuesResponse({}, self._exchange("channels"))

    def calls_today(self) -> CallsToday:
        raise Rejected("Telex does not count calls.")

    def ping(self) -> PingResult:
        return PingResult(ConnectionVerdict.OK, "The line is free.")

    def close(self) -> None:
        return None

    def _exchange(self, text: str) -> Exchange:
        request = f"Authorization: Bearer {TOKEN}\n{text} of {self._code_word}"
        return Exchange(request, f"received from {self._code_word}", {"Number that called": self.caller})


def entry(received: list[OutgoingRecord]) -> TransportEntry:
    """What the transport says about itself; what it is sent goes into a list."""
    return TransportEntry(
        name="telex",
        endpoint=LINE,
        example="https://telex.example/line",
        settings=(LINE, NUMBER, CODE_WORD),
        where="The post office has it.",
        masked=(("authorization", re.compile(r"(Authorization: Bearer )\S+")),),
        open=lambda config, store, facts: TelexTransport(config, received),
    )
