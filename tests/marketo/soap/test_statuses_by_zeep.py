"""The statuses of a batch as we read them, and as zeep does by the WSDL: the same, however the answer is written."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobjects.marketo.soap import envelope, sync_responses
from mobjects.marketo.soap.elements import InvalidResponse
from mobjects.marketo.types import ExternalKey, Kind, Operation, OutgoingBatch, OutgoingRecord, RecordOutcome
from tests.support import soap
from tests.support.zeep_reading import read_by_zeep

NIL = ' xsi:nil="true"'
UNKNOWN = st.sampled_from(
    [
        "<new>x</new>",
        "<audit><status>FAILED</status><id>9</id></audit>",
        '<m:id2 xmlns:m="urn:x">4</m:id2>',
        "<!-- no -->",
        "\n  ",
    ]
)
IDS = st.sampled_from(
    [
        "",
        "<id/>",
        f"<id{NIL}/>",
        "<id> 7 </id>",
        "<id>0</id>",
        "<id>-3</id>",
        "<id>many</id>",
        "<id>5</id><id>6</id>",
        '<m:id xmlns:m="http://www.marketo.com/mktows/">8</m:id>',
        "<id><![CDATA[12]]></id>",
        "<id>1<!-- --></id>",
    ]
)
STATUSES = st.sampled_from(
    [f"<status>{word}</status>" for word in ("CREATED", "UPDATED", "UNCHANGED", "SKIPPED", "FAILED")]
    + ["<status> CREATED </status>", "<status>DELETED</status>", "<status>NEW</status>", "<status/>", ""]
)
ERRORS = st.sampled_from(
    ["", "<error/>", "<error>no &lt;way&gt;</error>", f"<error{NIL}/>", "<error>a</error><error>b</error>"]
)
KEYS = st.sampled_from(
    [
        "",
        f"<externalKey{NIL}/>",
        "<externalKey/>",
        "<externalKey><name/><value/></externalKey>",
        "<externalKey><value>1</value><x/><name> K </name></externalKey>",
        "<externalKey><name>K</name></externalKey>",
    ]
)


@st.composite
def rows(draw: st.DrawFn) -> str:
    parts = [draw(IDS), draw(STATUSES), draw(ERRORS), draw(KEYS), *draw(st.lists(UNKNOWN, max_size=3))]
    return f"<mObjStatus>{''.join(draw(st.permutations(parts)))}</mObjStatus>"


def by_zeep(answer: str) -> list[tuple[Any, ...] | None]:
    """Each row as zeep reads it: id, status, error, the key's name and value."""
    result = read_by_zeep("syncMObjects", answer).mObjStatusList
    return [
        row
        and (
            row.id if row.id and row.id > 0 else None,
            (row.status or "").strip(),
            (row.error or "").strip(),
            row.externalKey and row.externalKey.name,
            row.externalKey and row.externalKey.value,
        )
        for row in (result.mObjStatus if result else [])
    ]


def by_us(answer: str, size: int) -> list[RecordOutcome] | str:
    result = envelope.find_result("syncMObjects", envelope.parse_envelope(answer.encode()))
    batch = OutgoingBatch(Operation.UPSERT, [OutgoingRecord(Kind.OPPORTUNITY)] * size)
    try:
        return sync_responses.parse_outcomes(batch, result)
    except InvalidResponse as error:
        return str(error)


@given(st.lists(rows(), max_size=3), st.lists(UNKNOWN, max_size=2))
def test_statuses_are_read_as_zeep_reads_them(written: list[str], others: list[str]) -> None:
    answer = soap.success(
        "SyncMObjects", f"{''.join(others)}<mObjStatusList>{''.join(written + others)}</mObjStatusList>"
    )
    expected, outcomes = by_zeep(answer), by_us(answer, len(written))
    assert len(expected) == len(written)
    known = sync_responses._SENT
    if isinstance(outcomes, str):
        assert any(row is None or row[1] not in known for row in expected), outcomes
        return
    assert [(each.marketo_id, each.status.value) for each in outcomes] == [row[:2] for row in expected if row]
    for each, row in zip(outcomes, expected, strict=True):
        assert row is not None
        assert each.message == (
            row[2] or (sync_responses._SKIPPED_WORDS[Operation.UPSERT] if row[1] == "SKIPPED" else "")
        )


@pytest.mark.parametrize(("key", "fits"), [("K", True), ("Other", False)])
def test_the_echoed_key_is_read_wherever_its_parts_stand(key: str, fits: bool) -> None:
    answer = soap.sync_answer(
        f"<mObjStatus><new/><externalKey><value> 1 </value><new/><name>{key}</name></externalKey>"
        "<status>CREATED</status><id>4</id></mObjStatus>"
    )
    record = OutgoingRecord(Kind.OPPORTUNITY, external_key=ExternalKey("K", "1"))
    result = envelope.find_result("syncMObjects", envelope.parse_envelope(answer.encode()))
    batch = OutgoingBatch(Operation.UPSERT, [record])
    if fits:
        assert sync_responses.parse_outcomes(batch, result)[0].marketo_id == 4
        return
    with pytest.raises(InvalidResponse, match="about Other '1'"):
        sync_responses.parse_outcomes(batch, result)
