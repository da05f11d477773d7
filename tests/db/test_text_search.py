"""People find records by parts of names and keys, whole numbers and GUIDs; on both databases the same."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from mobjects.db.text_search import search_records, search_table
from mobjects.models import Opportunity, OpportunityPersonRole, Program, ProgramTag
from tests import factories

pytestmark = pytest.mark.django_db
GUID = "dff23271-f996-47d7-984f-f2676861b5fa"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {"Seoul renewal", "계약갱신 부산", "100% sure_thing", "It's \\ odd"}),
        ("renew", {"Seoul renewal"}),
        ("RENEWAL seoul", {"Seoul renewal"}),
        ('"renewal seoul"', set()),
        ('"Seoul renewal"', {"Seoul renewal"}),
        ("갱신 부산", {"계약갱신 부산"}),  # Two letters are a word in Korean; in English they begin one.
        ("계약 부산", {"계약갱신 부산"}),
        ("약갱신", {"계약갱신 부산"}),
        ("se", {"Seoul renewal"}),
        ("ou", set()),
        ("-7", set()),
        ("e-", {"Seoul renewal", "계약갱신 부산", "100% sure_thing", "It's \\ odd"}),
        ("E-007", {"Seoul renewal"}),
        ("4711", {"계약갱신 부산"}),
        ("471", set()),
        (GUID.upper(), {"계약갱신 부산"}),
        ("100%", {"100% sure_thing"}),
        ("%su", set()),
        ("e_t", {"100% sure_thing"}),
        ("odd\0", {"It's \\ odd"}),
        ("99999999999999999999", set()),
    ],
)
def test_opportunities_are_found(text, found):
    factories.opportunity(name="Seoul renewal", external_id="E-007")
    factories.opportunity(name="계약갱신 부산", external_id="E-2", marketo_id=4711, marketo_guid=GUID)
    factories.opportunity(name="100% sure_thing", external_id="E-3")
    factories.opportunity(name="It's \\ odd", external_id="E-4")
    assert {record.name for record in search_records(Opportunity.objects.all(), text)} == found


def test_roles_and_tags_are_found_by_what_they_belong_to():
    role = factories.role(factories.opportunity(name="Seoul renewal"), role="Buyer")
    factories.role(factories.opportunity(name="Busan"), role="Buyer")
    tag = ProgramTag.objects.create(
        program=factories.program(name="Webinar 2026", marketo_id=88), type="Region", value="x"
    )
    for text in ("seoul", "buyer seoul", str(role.opportunity.external_id)):
        assert list(search_records(OpportunityPersonRole.objects.all(), text)) == [role], text
    assert search_records(OpportunityPersonRole.objects.all(), "buyer").count() == 2
    for text in ("88", "region webinar"):
        assert list(search_records(ProgramTag.objects.all(), text)) == [tag], text


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite searches the columns themselves")
def test_the_search_table_follows_every_way_of_writing():
    def held():
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT text FROM "{search_table(Program)}" ORDER BY text')
            return [text for (text,) in cursor.fetchall()]

    Program.objects.bulk_create([Program(name="One", marketo_id=1), Program(name="Two", marketo_id=2)])
    assert held() == [" ONE", " TWO"]
    Program.objects.filter(name="Two").update(name="Three", type="x")
    assert held() == [" ONE", " THREE"]
    with transaction.atomic():
        Program.objects.filter(name="One")._raw_delete("default")
    assert held() == [" THREE"]
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f'TRUNCATE "{Program._meta.db_table}" CASCADE')
    assert held() == []


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite searches the columns themselves")
@pytest.mark.parametrize("further", [0, 100])
def test_what_was_left_in_the_search_table_is_no_obstacle_to_new_records(further: int):
    first = Program.objects.create(name="One", marketo_id=1).pk
    with connection.cursor() as cursor:
        cursor.execute(f'INSERT INTO "{search_table(Program)}" VALUES (%s, %s)', [first + 1 + further, " STALE"])
    new = [Program(pk=first + number, name=f"New {number}", marketo_id=1 + number) for number in range(1, 200)]
    Program.objects.bulk_create(new)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*), count(DISTINCT text) FROM \"{search_table(Program)}\" WHERE text <> ' STALE'")
        assert cursor.fetchone() == (200, 200)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="of PostgreSQL's indexes")
def test_searching_reads_no_whole_table():
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for text in ("renewal", "se", "4711"):
            assert "Seq Scan" not in search_records(Opportunity.objects.all(), text).explain(), text
