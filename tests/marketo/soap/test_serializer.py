"""Records as requests: equal to goldens written from the contract, and to what zeep itself would write."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from mobjects.marketo.soap import envelope, serializer
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
from tests.support.soap import SIGNATURE, row, sync_answer, transport
from tests.support.xml import golden, tree

OPPORTUNITY_KEY = ExternalKey("ExternalOpportunityId", "OPP-7")

COST_UPDATE = OutgoingBatch(
    Operation.UPDATE,
    [OutgoingRecord(Kind.PROGRAM, 1970, costs=[OutgoingCost(date(2013, 6, 1), Decimal("2000"), id=153)])],
)
OPPORTUNITY_INSERT = OutgoingBatch(
    Operation.INSERT,
    [OutgoingRecord(Kind.OPPORTUNITY, values={"Name": "Q1 2014", "Amount": Decimal("2000"), "Probability": "80%"})],
)
ROLE_INSERT = OutgoingBatch(
    Operation.INSERT,
    [
        OutgoingRecord(
            Kind.ROLE,
            values={"Role": "Influencer/Champion"},
            associations=[RecordAssociation(LinkTarget.LEAD, id=19), RecordAssociation(LinkTarget.OPPORTUNITY, id=64)],
        )
    ],
)
MIXED_UPSERT = OutgoingBatch(
    Operation.UPSERT,
    [
        OutgoingRecord(
            Kind.OPPORTUNITY,
            external_key=OPPORTUNITY_KEY,
            values={
                "Name": "계약 <7> & 갱신 🎉",
                "Amount": Decimal("501.00"),
                "CloseDate": date(2014, 10, 24),
                "IsWon": False,
                "NextStep": None,
            },
            associations=[RecordAssociation(LinkTarget.COMPANY, key=ExternalKey("CompanyNumber", "C-1"))],
        ),
        OutgoingRecord(
            Kind.ROLE,
            values={"Role": "Decision Maker", "IsPrimary": True},
            associations=[
                RecordAssociation(LinkTarget.OPPORTUNITY, key=OPPORTUNITY_KEY),
                RecordAssociation(LinkTarget.LEAD, id=19),
            ],
        ),
        OutgoingRecord(
            Kind.ROLE,
            values={"Role": "Evaluator"},
            associations=[
                RecordAssociation(LinkTarget.OPPORTUNITY, key=OPPORTUNITY_KEY),
                RecordAssociation(LinkTarget.LEAD, key=ExternalKey("PersonNumber", "P-2")),
            ],
        ),
    ],
)
GOLDENS = {
    "program-cost-update": COST_UPDATE,
    "opportunity-insert": OPPORTUNITY_INSERT,
    "role-insert": ROLE_INSERT,
    "mixed-upsert": MIXED_UPSERT,
}


@pytest.mark.parametrize("name", GOLDENS)
def test_request_equals_golden(server, name):
    batch = GOLDENS[name]
    server.answer(sync_answer(*[row() for _ in batch.records]))
    transport(server.endpoint).send(batch)
    assert tree(server.calls[0].body) == tree(golden(name))


@pytest.mark.parametrize("name", GOLDENS)
def test_rendered_batch_equals_golden_with_the_signature_masked(name):
    rendered = transport("").render(GOLDENS[name])
    assert SIGNATURE not in rendered
    assert tree(rendered) == tree(golden(name).replace(SIGNATURE.encode(), b"***"))


def _attrib(name, value):
    return {"name": name, "value": value}


def _zeep_form(index):
    """The record of the same index in :func:`_full_batch`, as zeep's own serialiser takes it."""
    key = _attrib("ExternalOpportunityId", f"OPP-{index} <&>")
    return {
        "type": "Opportunity",
        "id": index,
        "externalKey": key,
        "attribList": {"attrib": [key, *(_attrib(f"Field{n}", f"값 {n}\r\n🎉") for n in range(19)), _attrib("X", "")]},
        "associationList": {"mObjAssociation": [{"mObjType": "Company", "id": 5}]},
    }


def _full_batch(size):
    return [
        OutgoingRecord(
            Kind.OPPORTUNITY,
            marketo_id=index,
            external_key=ExternalKey("ExternalOpportunityId", f"OPP-{index} <&>"),
            values={f"Field{n}": f"값 {n}\r\n🎉" for n in range(19)} | {"X": ""},
            associations=[RecordAssociation(LinkTarget.COMPANY, id=5)],
        )
        for index in range(1, size + 1)
    ]


def test_written_body_equals_what_zeep_writes():
    header = envelope.AuthenticationHeader("user <mObjectList/>", "signature", "2013-08-05T14:22:45-07:00", "partner")
    arguments = {"mObjectList": {"mObject": []}, "operation": "UPSERT"}
    ours = envelope.build_envelope("syncMObjects", header, arguments, serializer.write_records(_full_batch(5)))
    records = [_zeep_form(index) for index in range(1, 6)]
    zeeps = envelope.build_envelope(
        "syncMObjects", header, {"mObjectList": {"mObject": records}, "operation": "UPSERT"}
    )
    assert canonical(ours) == canonical(zeeps)


def canonical(message):
    return etree.tostring(etree.fromstring(message), method="c14n")


VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\ufffe\uffff", exclude_categories=["Cc", "Cs"]))
TEXTS = st.builds("".join, st.lists(st.sampled_from(["<", ">", "&", "\r", "\n", "\t", '"', "]]>", "&amp;"]) | VALUES))
ATTRIBUTES = st.dictionaries(TEXTS, TEXTS, max_size=4)


@given(ATTRIBUTES, ATTRIBUTES)
def test_any_text_is_written_as_zeep_writes_it(values, tags):
    header = envelope.AuthenticationHeader("user", "signature", "2013-08-05T14:22:45-07:00")
    records = [
        OutgoingRecord(Kind.OPPORTUNITY, 5, values=values),
        OutgoingRecord(Kind.PROGRAM, 6, tags=[TagValue(name, value) for name, value in tags.items()]),
    ]
    pairs = [_attrib(name, value) for name, value in values.items()]
    attributes = [
        {"attrType": "Tag", "attrList": {"attrib": [_attrib("Type", name), _attrib("Value", value)]}}
        for name, value in tags.items()
    ]
    zeeps = [
        {"type": "Opportunity", "id": 5} | ({"attribList": {"attrib": pairs}} if pairs else {}),
        {"type": "Program", "id": 6} | ({"typeAttribList": {"typeAttrib": attributes}} if attributes else {}),
    ]
    empty, full = ({"mObjectList": {"mObject": objects}, "operation": "UPDATE"} for objects in ([], zeeps))
    ours = envelope.build_envelope("syncMObjects", header, empty, serializer.write_records(records))
    assert canonical(ours) == canonical(envelope.build_envelope("syncMObjects", header, full))


def _sent(record, operation=Operation.UPDATE):
    """The mObject of a rendered batch, as ``{path: text}`` of its leaves in order."""
    root = etree.fromstring(transport("").render(OutgoingBatch(operation, [record])).encode())
    (node,) = root.iter("mObject")
    return [(leaf.tag, leaf.text or "") for leaf in node.iter() if len(leaf) == 0]


def test_costs_and_tags_are_one_type_attribute_each():
    record = OutgoingRecord(
        Kind.PROGRAM,
        7,
        costs=[
            OutgoingCost(date(2026, 1, 1), Decimal("1.50"), "광고"),
            OutgoingCost(date(2026, 2, 1), Decimal("2"), "x", 9),
        ],
        tags=[TagValue("Channel", "Webinar")],
    )
    assert _sent(record)[2:] == [
        ("attrType", "Cost"),
        *[("name", "Month"), ("value", "2026-01"), ("name", "Amount"), ("value", "1.50")],
        *[("name", "Note"), ("value", "광고")],
        ("attrType", "Cost"),
        *[("name", "Month"), ("value", "2026-02"), ("name", "Amount"), ("value", "2")],
        *[("name", "Id"), ("value", "9"), ("name", "Note"), ("value", "x")],
        ("attrType", "Tag"),
        *[("name", "Type"), ("value", "Channel"), ("name", "Value"), ("value", "Webinar")],
    ]


def test_external_key_already_among_the_values_is_not_repeated():
    record = OutgoingRecord(
        Kind.OPPORTUNITY, 3, ExternalKey("K", "1"), {"Name": "N", "K": "1", "At": datetime(2026, 1, 2, tzinfo=UTC)}
    )
    assert _sent(record) == [
        *[("type", "Opportunity"), ("id", "3"), ("name", "K"), ("value", "1")],
        *[("name", "Name"), ("value", "N"), ("name", "K"), ("value", "1")],
        *[("name", "At"), ("value", "2026-01-02T00:00:00+00:00")],
    ]


def test_update_of_a_known_role_may_leave_its_links_alone():
    assert _sent(OutgoingRecord(Kind.ROLE, 8, values={"Role": ""})) == [
        *[("type", "OpportunityPersonRole"), ("id", "8"), ("name", "Role"), ("value", "")]
    ]


def test_record_without_values_has_no_empty_lists():
    assert _sent(OutgoingRecord(Kind.OPPORTUNITY, 8)) == [("type", "Opportunity"), ("id", "8")]


@pytest.mark.parametrize("ways", [{}, {"id": 1, "key": OPPORTUNITY_KEY}])
def test_association_needs_exactly_one_way_to_find_its_object(ways):
    with pytest.raises(ValueError, match="either an id or a key"):
        RecordAssociation(LinkTarget.LEAD, **ways)
