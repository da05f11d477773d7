"""Records as requests: equal to goldens written from the contract, and to what zeep itself would write."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from lxml import etree

from mobjects.marketo.soap import envelope, serializer
from mobjects.marketo.types import Association, Batch, Cost, Key, Kind, Link, Operation, Record, Tag
from tests.support.soap import SIGNATURE, row, sync_answer, transport
from tests.support.xml import golden, tree

OPPORTUNITY_KEY = Key("ExternalOpportunityId", "OPP-7")

COST_UPDATE = Batch(
    Operation.UPDATE, [Record(Kind.PROGRAM, 1970, costs=[Cost(date(2013, 6, 1), Decimal("2000"), id=153)])]
)
OPPORTUNITY_INSERT = Batch(
    Operation.INSERT,
    [Record(Kind.OPPORTUNITY, values={"Name": "Q1 2014", "Amount": Decimal("2000"), "Probability": "80%"})],
)
ROLE_INSERT = Batch(
    Operation.INSERT,
    [
        Record(
            Kind.ROLE,
            values={"Role": "Influencer/Champion"},
            associations=[Association(Link.LEAD, id=19), Association(Link.OPPORTUNITY, id=64)],
        )
    ],
)
MIXED_UPSERT = Batch(
    Operation.UPSERT,
    [
        Record(
            Kind.OPPORTUNITY,
            external_key=OPPORTUNITY_KEY,
            values={
                "Name": "계약 <7> & 갱신 🎉",
                "Amount": Decimal("501.00"),
                "CloseDate": date(2014, 10, 24),
                "IsWon": False,
                "NextStep": None,
            },
            associations=[Association(Link.COMPANY, key=Key("CompanyNumber", "C-1"))],
        ),
        Record(
            Kind.ROLE,
            values={"Role": "Decision Maker", "IsPrimary": True},
            associations=[Association(Link.OPPORTUNITY, key=OPPORTUNITY_KEY), Association(Link.LEAD, id=19)],
        ),
        Record(
            Kind.ROLE,
            values={"Role": "Evaluator"},
            associations=[
                Association(Link.OPPORTUNITY, key=OPPORTUNITY_KEY),
                Association(Link.LEAD, key=Key("PersonNumber", "P-2")),
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
        Record(
            Kind.OPPORTUNITY,
            marketo_id=index,
            external_key=Key("ExternalOpportunityId", f"OPP-{index} <&>"),
            values={f"Field{n}": f"값 {n}\r\n🎉" for n in range(19)} | {"X": ""},
            associations=[Association(Link.COMPANY, id=5)],
        )
        for index in range(1, size + 1)
    ]


def test_element_built_body_equals_what_zeep_writes():
    header = envelope.Header("user", "signature", "2013-08-05T14:22:45-07:00", "partner")
    ours = envelope.envelope("syncMObjects", header, {"mObjectList": {"mObject": []}, "operation": "UPSERT"})
    serializer.add_records(next(ours.iter("mObjectList")), _full_batch(5))
    records = [_zeep_form(index) for index in range(1, 6)]
    zeeps = envelope.envelope("syncMObjects", header, {"mObjectList": {"mObject": records}, "operation": "UPSERT"})
    assert etree.tostring(ours, method="c14n") == etree.tostring(zeeps, method="c14n")


def _sent(record, operation=Operation.UPDATE):
    """The mObject of a rendered batch, as ``{path: text}`` of its leaves in order."""
    root = etree.fromstring(transport("").render(Batch(operation, [record])).encode())
    (node,) = root.iter("mObject")
    return [(leaf.tag, leaf.text or "") for leaf in node.iter() if len(leaf) == 0]


def test_costs_and_tags_are_one_type_attribute_each():
    record = Record(
        Kind.PROGRAM,
        7,
        costs=[Cost(date(2026, 1, 1), Decimal("1.50"), "광고"), Cost(date(2026, 2, 1), Decimal("2"), "x", 9)],
        tags=[Tag("Channel", "Webinar")],
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
    record = Record(Kind.OPPORTUNITY, 3, Key("K", "1"), {"Name": "N", "K": "1", "At": datetime(2026, 1, 2, tzinfo=UTC)})
    assert _sent(record) == [
        *[("type", "Opportunity"), ("id", "3"), ("name", "K"), ("value", "1")],
        *[("name", "Name"), ("value", "N"), ("name", "K"), ("value", "1")],
        *[("name", "At"), ("value", "2026-01-02T00:00:00+00:00")],
    ]


def test_update_of_a_known_role_may_leave_its_links_alone():
    assert _sent(Record(Kind.ROLE, 8, values={"Role": ""})) == [
        *[("type", "OpportunityPersonRole"), ("id", "8"), ("name", "Role"), ("value", "")]
    ]


def test_record_without_values_has_no_empty_lists():
    assert _sent(Record(Kind.OPPORTUNITY, 8)) == [("type", "Opportunity"), ("id", "8")]


@pytest.mark.parametrize("given", [{}, {"id": 1, "key": OPPORTUNITY_KEY}])
def test_association_needs_exactly_one_way_to_find_its_object(given):
    with pytest.raises(ValueError, match="either an id or a key"):
        Association(Link.LEAD, **given)
