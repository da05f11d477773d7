"""syncMObjects on opportunities and roles: the five statuses, keys, links, values."""

import pytest

from tests.sandbox.wire import Fault, Row, link, mobject, opportunity, role

KEY_FIELD = "ExternalOpportunityId"
HARD = "한국어 🎉 <b>&amp; \"quoted\" 'single'\nsecond line"


def test_insert_creates_and_gives_an_id(wire):
    row = wire.sync_one("INSERT", opportunity(Name="Q1 2014", Amount="2000", Probability="80%"))
    assert row == Row(500001, "CREATED", "", None)
    assert wire.values("Opportunity", row.id) == {"Name": "Q1 2014", "Amount": "2000", "Probability": "80"}


def test_five_statuses_in_one_call_in_the_order_of_the_request(wire):
    (kept,) = wire.sync("UPSERT", opportunity(key="A", Name="kept"))
    rows = wire.sync(
        "UPSERT",
        opportunity(key="B", Name="new"),
        opportunity(id=kept.id, Name="changed"),
        opportunity(id=kept.id, Name="changed"),
        opportunity(id=999, Name="unknown"),
        opportunity(key="C", Amount="a lot"),
    )
    assert [row.status for row in rows] == ["CREATED", "UPDATED", "UNCHANGED", "SKIPPED", "FAILED"]
    assert [row.id for row in rows] == [kept.id + 1, kept.id, kept.id, None, None]
    assert [row.key for row in rows] == [(KEY_FIELD, "B"), None, None, None, (KEY_FIELD, "C")]
    assert [bool(row.error) for row in rows] == [False, False, False, True, True]


def test_insert_of_an_existing_one_is_skipped_with_its_id(wire):
    first = wire.sync_one("INSERT", opportunity(key="A", Name="x"))
    by_id = wire.sync_one("INSERT", opportunity(id=first.id, Name="y"))
    by_key = wire.sync_one("INSERT", opportunity(key="A", Name="y"))
    assert (by_id.status, by_id.id) == (by_key.status, by_key.id) == ("SKIPPED", first.id)
    assert "already exists" in by_key.error
    assert wire.values("Opportunity", first.id)["Name"] == "x"


@pytest.mark.parametrize("unknown", [{"id": 999}, {"key": "nobody"}, {}])
def test_update_of_an_unknown_one_is_skipped_without_id(wire, unknown):
    row = wire.sync_one("UPDATE", opportunity(Name="x", **unknown))
    assert (row.status, row.id) == ("SKIPPED", None)
    assert row.error


@pytest.mark.parametrize("operation", ["INSERT", "UPSERT"])
def test_id_that_marketo_did_not_give_is_skipped(wire, operation):
    row = wire.sync_one(operation, opportunity(id=999, Name="x"))
    assert (row.status, row.id) == ("SKIPPED", None)
    assert "999" in row.error


def test_upsert_by_key_creates_once_and_updates_then(wire):
    rows = [wire.sync_one("UPSERT", opportunity(key="A", Name=name)) for name in ("x", "y", "y")]
    assert [row.status for row in rows] == ["CREATED", "UPDATED", "UNCHANGED"]
    assert len({row.id for row in rows}) == 1


def test_without_id_or_key_a_resent_one_is_created_again(wire):
    rows = [wire.sync_one("UPSERT", opportunity(Name="x")) for _ in range(2)]
    assert [row.status for row in rows] == ["CREATED", "CREATED"]
    assert rows[0].id != rows[1].id


def test_keys_are_not_unique_and_the_newest_wins(wire):
    older, newer = wire.sync("INSERT", opportunity(ExternalOpportunityId="A"), opportunity(ExternalOpportunityId="A"))
    row = wire.sync_one("UPDATE", opportunity(key="A", Name="x"))
    assert row.id == newer.id
    wire.delete(mobject("Opportunity", newer.id))
    assert wire.sync_one("UPDATE", opportunity(key="A", Name="x")).id == older.id


def test_key_that_is_not_repeated_among_the_attributes_is_not_kept(wire):
    unrepeated = mobject("Opportunity", key=(KEY_FIELD, "A"), values={"Name": "x"})
    rows = [wire.sync_one("UPSERT", unrepeated) for _ in range(2)]
    assert [row.status for row in rows] == ["CREATED", "CREATED"]


@pytest.mark.parametrize("field", ["opportunities.id", "Name"])
def test_key_named_after_no_custom_field_never_matches(wire, field):
    sent = mobject("Opportunity", key=(field, "x"), values={"Name": "x"})
    rows = [wire.sync_one("UPSERT", sent) for _ in range(2)]
    assert [row.status for row in rows] == ["CREATED", "CREATED"]
    assert wire.sync_one("UPDATE", sent).status == "SKIPPED"


def test_changing_the_key_moves_the_match(wire):
    first = wire.sync_one("UPSERT", opportunity(key="A"))
    wire.sync_one("UPDATE", opportunity(id=first.id, **{KEY_FIELD: "B"}))
    assert wire.sync_one("UPDATE", opportunity(key="B", Name="x")).id == first.id
    assert wire.sync_one("UPDATE", opportunity(key="A", Name="x")).status == "SKIPPED"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CloseDate", "24.10.2014"),
        ("CloseDate", "2014-02-30"),
        ("LastActivityDate", "2014-10-24T00:00:00Z"),
        ("ExternalCreatedDate", "2014-10-24"),
        ("ExternalCreatedDate", "2014-10-24T10:00:00"),
        ("ExternalCreatedDate", "2014-10-24T25:00:00Z"),
        ("Amount", "1,000"),
        ("Amount", "$5"),
        ("ExpectedRevenue", "1e3"),
        ("FiscalYear", "2014.5"),
        ("FiscalQuarter", "٣"),
        ("ContractMonths", "99999999999"),
        ("ContractMonths", "3000000000"),
        ("Probability", "80 %"),
        ("Quantity", "many"),
        ("IsClosed", "True"),
        ("IsWon", "yes"),
        ("Name", "x" * 256),
        ("Description", "x" * 2001),
        ("Nmae", "x"),
        ("name", "x"),
        ("Id", "5"),
        ("CompanyId", "999"),
        ("CompanyId", "Acme"),
    ],
)
def test_bad_value_fails_and_is_named(wire, name, value):
    row = wire.sync_one("INSERT", opportunity(**{name: value}))
    assert (row.status, row.id) == ("FAILED", None)
    assert name in row.error
    assert wire.server.store.opportunities == {}


def test_bad_value_is_quoted_but_not_at_length(wire):
    assert "'a lot'" in wire.sync_one("INSERT", opportunity(Amount="a lot")).error
    assert len(wire.sync_one("INSERT", opportunity(Description="x" * 2001)).error) < 150


@pytest.mark.parametrize(
    ("name", "sent", "read"),
    [
        ("IsClosed", "1", "true"),
        ("IsClosed", "0", "false"),
        ("IsWon", "true", "true"),
        ("IsWon", "false", "false"),
        ("Probability", "80%", "80"),
        ("Probability", "100", "100"),
        ("Amount", "501.00", "501.00"),
        ("Amount", "-1500", "-1500"),
        ("Quantity", "2.5", "2.5"),
        ("CloseDate", "2014-10-24", "2014-10-24"),
        ("ExternalCreatedDate", "2014-10-24T10:00:00-07:00", "2014-10-24T10:00:00-07:00"),
        ("ContractMonths", "36", "36"),
        ("Name", "가" * 255, "가" * 255),
        ("Description", HARD, HARD),
        ("Description", "tab\tand return\r", "tab\tand return\r"),
    ],
)
def test_value_is_kept_and_read_back(wire, name, sent, read):
    row = wire.sync_one("INSERT", opportunity(**{name: sent}))
    assert wire.values("Opportunity", row.id) == {name: read}


@pytest.mark.parametrize(
    ("name", "first", "again"),
    [("Amount", "501", "501.00"), ("IsWon", "1", "true"), ("Probability", "80%", "80"), ("Quantity", "2", "2.0")],
)
def test_other_spelling_of_the_same_value_is_unchanged(wire, name, first, again):
    row = wire.sync_one("INSERT", opportunity(**{name: first}))
    assert wire.sync_one("UPDATE", opportunity(id=row.id, **{name: again})).status == "UNCHANGED"


def test_empty_value_clears_the_field(wire):
    row = wire.sync_one("INSERT", opportunity(Name="x", Amount="5"))
    assert wire.sync_one("UPDATE", opportunity(id=row.id, Amount="")).status == "UPDATED"
    assert wire.values("Opportunity", row.id) == {"Name": "x"}
    assert wire.sync_one("UPDATE", opportunity(id=row.id, Amount="")).status == "UNCHANGED"


def test_failed_object_is_left_as_it_was_and_the_others_are_applied(wire):
    row = wire.sync_one("INSERT", opportunity(Name="x"))
    failed, created = wire.sync("UPSERT", opportunity(id=row.id, Name="y", Amount="?"), opportunity(Name="z"))
    assert (failed.status, failed.id, created.status) == ("FAILED", row.id, "CREATED")
    assert wire.values("Opportunity", row.id) == {"Name": "x"}


def test_attribute_given_twice_fails(wire):
    sent = opportunity(Name="x")
    sent.find("attribList").append(opportunity(Name="y").find("attribList/attrib"))
    assert "Name is given twice" in wire.sync_one("INSERT", sent).error


def test_created_at_is_read_only(wire):
    sent = opportunity(Name="x")
    sent.insert(1, sent.makeelement("createdAt"))
    sent[1].text = "2014-10-24T10:00:00Z"
    assert "read-only" in wire.sync_one("INSERT", sent).error


@pytest.mark.parametrize("company", [link("Company", 7), link("Company", key=("ExternalCompanyId", "C-0007"))])
def test_company_is_linked_by_id_or_key(wire, company):
    row = wire.sync_one("INSERT", opportunity(Name="x", links=[company]))
    assert wire.values("Opportunity", row.id)["CompanyId"] == "7"


@pytest.mark.parametrize(
    "bad",
    [
        link("Company", 999),
        link("Company", key=("ExternalCompanyId", "C-9999")),
        link("Company", key=("name", "Acme")),
        link("Company"),
        link("Company", 7, key=("ExternalCompanyId", "C-0007")),
        link("Lead", 1),
        link("Opportunity", 500001),
    ],
)
def test_bad_association_of_an_opportunity_fails(wire, bad):
    row = wire.sync_one("INSERT", opportunity(Name="x", links=[bad]))
    assert row.status == "FAILED"
    assert bad.findtext("mObjType") in row.error


def test_role_links_by_attributes(wire):
    deal = wire.sync_one("INSERT", opportunity(Name="x"))
    row = wire.sync_one("INSERT", role(OpportunityId=str(deal.id), PersonId="19", Role="Influencer/Champion"))
    assert (row.status, row.id) == ("CREATED", 800001)


def test_role_links_by_associations(wire):
    deal = wire.sync_one("INSERT", opportunity(Name="x"))
    links = [link("Opportunity", deal.id), link("Lead", key=("ExternalPersonId", "P-0019"))]
    row = wire.sync_one("INSERT", role(links=links, IsPrimary="1"))
    expected = {"OpportunityId": str(deal.id), "PersonId": "19", "IsPrimary": "true"}
    assert wire.values("OpportunityPersonRole", row.id) == expected


def test_role_may_refer_by_key_to_an_opportunity_earlier_in_the_same_call(wire):
    links = [link("Opportunity", key=(KEY_FIELD, "A")), link("Lead", 19)]
    deal, row = wire.sync("UPSERT", opportunity(key="A", Name="x"), role(links=links))
    assert [deal.status, row.status] == ["CREATED", "CREATED"]
    assert (deal.key, row.key) == ((KEY_FIELD, "A"), None)
    assert wire.values("OpportunityPersonRole", row.id)["OpportunityId"] == str(deal.id)


def test_role_before_its_opportunity_fails(wire):
    links = [link("Opportunity", key=(KEY_FIELD, "A")), link("Lead", 19)]
    rows = wire.sync("UPSERT", role(links=links), opportunity(key="A", Name="x"))
    assert [row.status for row in rows] == ["FAILED", "CREATED"]


@pytest.mark.parametrize(
    ("values", "links", "word"),
    [
        ({"PersonId": "19"}, [], "OpportunityId is required"),
        ({"OpportunityId": "500001"}, [], "PersonId is required"),
        ({"OpportunityId": "7", "PersonId": "19"}, [], "no Opportunity with id 7"),
        ({"OpportunityId": "500001", "PersonId": "9999"}, [], "no Lead with id 9999"),
        ({}, [link("Opportunity", 7), link("Lead", 19)], "no Opportunity with id 7"),
        ({}, [link("Opportunity", 500001), link("Lead", 9999)], "no Lead with id 9999"),
        ({}, [link("Opportunity", 500001), link("Company", 1)], "cannot be associated with Company"),
        ({"OpportunityId": "500001", "PersonId": "19"}, [link("Lead", 20)], "contradicts"),
    ],
)
def test_role_without_its_two_links_fails_in_words(wire, values, links, word):
    wire.sync_one("INSERT", opportunity(Name="x"))
    row = wire.sync_one("INSERT", role(links=links, **values))
    assert row.status == "FAILED"
    assert word in row.error
    assert wire.server.store.roles == {}


def test_role_has_no_external_key(wire):
    sent = mobject("OpportunityPersonRole", key=(KEY_FIELD, "A"), values={"Role": "x"})
    assert "no external key" in wire.sync_one("UPSERT", sent).error


def test_role_is_updated_by_id_and_doubled_without(wire):
    deal = wire.sync_one("INSERT", opportunity(Name="x"))
    sent = role(OpportunityId=str(deal.id), PersonId="19")
    first, again = (wire.sync_one("UPSERT", sent) for _ in range(2))
    changed = wire.sync_one("UPDATE", role(id=first.id, Role="Buyer"))
    assert [first.status, again.status, changed.status] == ["CREATED", "CREATED", "UPDATED"]
    assert (changed.id, again.id) == (first.id, first.id + 1)


def test_type_attributes_are_for_programs_only(wire):
    sent = mobject("Opportunity", values={"Name": "x"}, parts=[("Cost", {"Month": "2013-06", "Amount": "1"})])
    assert "Program only" in wire.sync_one("INSERT", sent).error


def test_hundred_objects_pass_and_one_more_is_refused_as_a_whole(wire):
    assert len(wire.sync("INSERT", *[opportunity(Name=str(n)) for n in range(100)])) == 100
    with pytest.raises(Fault) as fault:
        wire.sync("INSERT", *[opportunity(Name=str(n)) for n in range(101)])
    assert fault.value.code == "20110"
    assert "101" in fault.value.message
    assert len(wire.server.store.opportunities) == 100


def test_empty_call_is_refused(wire):
    with pytest.raises(Fault, match="20109"):
        wire.sync("INSERT")


@pytest.mark.parametrize("kind", ["LeadRecord", "Lead", "opportunity", ""])
def test_unsupported_type_refuses_the_whole_call(wire, kind):
    with pytest.raises(Fault) as fault:
        wire.sync("INSERT", opportunity(Name="x"), mobject(kind, values={"Name": "x"}))
    assert fault.value.code == "20110"
    assert wire.server.store.opportunities == {}
