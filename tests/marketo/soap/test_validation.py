"""What is refused, in words, before anything is sent."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from mobjects.marketo.errors import Rejected
from mobjects.marketo.types import (
    ExternalKey,
    Kind,
    LinkTarget,
    Operation,
    OutgoingBatch,
    OutgoingCost,
    OutgoingRecord,
    RecordAssociation,
    TagValue,
)
from tests.support.soap import transport

LEAD, OPPORTUNITY = RecordAssociation(LinkTarget.LEAD, id=1), RecordAssociation(LinkTarget.OPPORTUNITY, id=2)
MONTH = date(2026, 1, 1)


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("kind", Kind)
def test_limit_is_100_except_for_programs_that_are_not_updated(kind, operation):
    unsupported = kind is Kind.PROGRAM and operation is not Operation.UPDATE
    assert transport("").limit(kind, operation) == (None if unsupported else 100)


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (OutgoingRecord(Kind.PROGRAM), "has none"),
        (OutgoingRecord(Kind.PROGRAM, 1, values={"Name": "x"}), "only costs and tags of a program"),
        (
            OutgoingRecord(Kind.OPPORTUNITY, 1, costs=[OutgoingCost(MONTH, Decimal(1))]),
            "only programs have costs and tags",
        ),
        (OutgoingRecord(Kind.OPPORTUNITY, 1, tags=[TagValue("a", "b")]), "only programs have costs and tags"),
        (OutgoingRecord(Kind.ROLE, 1, ExternalKey("K", "v")), "only opportunities have an external key"),
        (OutgoingRecord(Kind.PROGRAM, 1, ExternalKey("K", "v")), "only opportunities have an external key"),
        (OutgoingRecord(Kind.PROGRAM, 1, associations=[LEAD]), "cannot be linked to a Lead"),
        (OutgoingRecord(Kind.OPPORTUNITY, 1, associations=[LEAD]), "cannot be linked to a Lead"),
        (
            OutgoingRecord(Kind.ROLE, 1, associations=[RecordAssociation(LinkTarget.COMPANY, id=1)]),
            "cannot be linked to a Company",
        ),
        (OutgoingRecord(Kind.ROLE, 1, associations=[LEAD, LEAD]), "twice"),
        (OutgoingRecord(Kind.ROLE), "a role needs its opportunity and its person"),
        (OutgoingRecord(Kind.ROLE, 1, associations=[LEAD]), "a role needs its opportunity and its person"),
        (OutgoingRecord(Kind.OPPORTUNITY, 0), "Marketo ID 0 is not between 1 and 2147483647"),
        (OutgoingRecord(Kind.PROGRAM, 2**31), "Marketo ID 2147483648 is not between"),
        (
            OutgoingRecord(Kind.ROLE, associations=[LEAD, RecordAssociation(LinkTarget.OPPORTUNITY, id=-1)]),
            "Opportunity ID -1 is not",
        ),
        (OutgoingRecord(Kind.PROGRAM, 1, costs=[OutgoingCost(MONTH, Decimal(1), id=0)]), "cost ID 0 is not"),
        (
            OutgoingRecord(Kind.PROGRAM, 1, costs=[OutgoingCost(MONTH, Decimal("NaN"))]),
            "amount of a cost: NaN is not a number",
        ),
        (OutgoingRecord(Kind.OPPORTUNITY, values={"Name": "a\x00"}), "Name: character 2 is U+0000"),
        (OutgoingRecord(Kind.OPPORTUNITY, values={"a\x00": "b"}), "attribute name: character 2"),
        (
            OutgoingRecord(Kind.OPPORTUNITY, values={"At": datetime(2026, 1, 1)}),
            "At: 2026-01-01T00:00:00 has no time zone",
        ),
        (OutgoingRecord(Kind.OPPORTUNITY, external_key=ExternalKey("K", "\x01")), "K: character 1"),
        (
            OutgoingRecord(Kind.OPPORTUNITY, external_key=ExternalKey("\x01", "v")),
            "name of the external key: character 1",
        ),
        (
            OutgoingRecord(
                Kind.ROLE, associations=[LEAD, RecordAssociation(LinkTarget.OPPORTUNITY, key=ExternalKey("K", "\x01"))]
            ),
            "K: character",
        ),
        (
            OutgoingRecord(Kind.PROGRAM, 1, costs=[OutgoingCost(MONTH, Decimal(1), "\x02")]),
            "note of a cost: character 1",
        ),
        (OutgoingRecord(Kind.PROGRAM, 1, tags=[TagValue("T", "\x02")]), "tag T: character 1"),
        (OutgoingRecord(Kind.PROGRAM, 1, tags=[TagValue("\x02", "v")]), "tag type: character 1"),
    ],
)
def test_record_that_marketo_would_not_take_is_refused_in_words(server, record, words):
    batch = OutgoingBatch(Operation.UPDATE, [OutgoingRecord(Kind.PROGRAM, 1), record])
    for call in (transport(server.endpoint).send, transport(server.endpoint).render):
        with pytest.raises(Rejected, match=r"^Record 2 of the batch \(") as caught:
            call(batch)
        assert words in caught.value.message
        assert caught.value.exchange is None
    assert server.calls == []


@pytest.mark.parametrize("operation", [Operation.INSERT, Operation.UPSERT])
def test_program_can_only_be_updated(server, operation):
    with pytest.raises(Rejected, match=f"no {operation} for programs"):
        transport(server.endpoint).send(OutgoingBatch(operation, [OutgoingRecord(Kind.PROGRAM, 1)]))
    assert server.calls == []


@pytest.mark.parametrize(
    ("size", "words"), [(0, "nothing to send"), (101, "at most 100 records in a call; this one has 101")]
)
def test_empty_and_too_large_batches_are_refused(server, size, words):
    with pytest.raises(Rejected, match=words):
        transport(server.endpoint).send(OutgoingBatch(Operation.INSERT, [OutgoingRecord(Kind.OPPORTUNITY)] * size))
    assert server.calls == []
