"""A person who lies in every place, erased: a dump of all that is kept names them no more, and others stay."""

from __future__ import annotations

from io import BytesIO, StringIO
from pathlib import Path

import pytest
from allauth.socialaccount.models import SocialAccount
from axes.models import AccessAttempt, AccessLog
from django.conf import settings as django_settings
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from django.db import connection
from rq.job import JobStatus
from rq.results import Result

from mobjects.imports import file_storage
from mobjects.models import (
    BulkDeletion,
    Circuit,
    Conflict,
    DeletedRecord,
    EarlierCall,
    Erasure,
    Import,
    ImportFix,
    ImportGroup,
    ImportPart,
    ImportProblem,
    ImportRow,
    ImportState,
    OpportunityPersonRole,
    RecordEdit,
    RecordStatus,
    SavedView,
    SyncJobSource,
    SyncResult,
)
from mobjects.retention.erasure import service
from mobjects.retention.erasure.person import PersonName, digest_of
from tests import factories
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url")]

KEY = "zq.jane@example.com"
OTHER = "zq.jane@example.com.au"
ID, OTHER_ID = 918273645, 9182736450


def dump() -> str:
    """The whole database as SQL text."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        return "\n".join(connection.connection.iterdump())
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
        tables = [name for (name,) in cursor.fetchall()]
        text = []
        for table in tables:
            with cursor.copy(f'COPY "{table}" TO STDOUT') as copy:
                text += [bytes(part).decode() for part in copy]
    return "\n".join(text)


def fill(key: str, number: int) -> OpportunityPersonRole:
    """A person named in every table that can name one."""
    deal = factories.opportunity(description=f"Signed by {key}.")
    role = factories.role(deal, person_key=key)
    OpportunityPersonRole.objects.filter(pk=role.pk).update(
        accepted={"Person key": key}, in_marketo={"x": [key]}, last_error=f"Person {key} is not known."
    )
    by_id = OpportunityPersonRole.objects.create(
        opportunity=deal, role="Buyer", person_id=number if number < 2**31 else 77
    )
    sent = {"Person key": key, "Role": "x"}
    job = pages.job(kind=role.KIND.value, reason=f"Asked by {key}", selection={**pages.SELECTION, "q": key})
    body = f'<attrName>PersonId</attrName><attrValue>{number}</attrValue><k>{key}</k> {{"leadId": {number}}}'
    batch = pages.batch(job, kind="OpportunityPersonRole", request=body, response=f'{{"e":"{key}"}}', fault_text=key)
    EarlierCall.objects.create(batch=batch, position=1, request=body, headers={"request": {"X": key}})
    long_label = ("x" * 250 + key)[:255]
    values = {"kind": "OpportunityPersonRole", "record_id": role.pk}
    pages.result(
        job, batch=batch, sent=sent, diff=[["Person key", "", key]], label=f"Buyer of person {key} in D", **values
    )
    pages.result(
        job,
        error=f"“{key}”, person {number}: no such lead",
        label=long_label,
        diff=[["Person ID", "1", f"{number}"]],
        **values,
    )
    Conflict.objects.create(label=key, reason="both", base=sent, here=sent, candidates=[{"values": sent}], **values)
    Circuit.objects.create(reason=f"halted by {key}", kind="", reset_at=job.created_at)
    RecordEdit.objects.create(
        source="form", changes=[["Person ID", f"{number}", "1"], ["Person key", key, ""]], **values
    )
    deletion = BulkDeletion.objects.create(model="opportunitypersonrole", filters=f"“{key}”", state="deleted")
    fields = {"fields": {"person_key": key, "person_id": None}}
    DeletedRecord.objects.create(
        deletion=deletion, model="opportunitypersonrole", record_id=1, label=key, values=fields
    )
    fill_import(key, number)
    SavedView.objects.create(page="roles", name=key, query=f"q={key.replace('@', '%40')}", username="x")
    person = factories.user(f"u{number}")
    AccessAttempt.objects.create(username=key, ip_address="192.0.2.1", user_agent="x", failures_since_start=1)
    AccessLog.objects.create(username=key, ip_address="192.0.2.1", user_agent="x")
    SocialAccount.objects.create(user=person, provider="company", uid=f"u{number}", extra_data={"email": key})
    content = ContentType.objects.get_for_model(role)
    LogEntry.objects.create(user=person, content_type=content, object_id="1", object_repr=key, action_flag=1)
    session = SessionStore()
    session["list"] = f"q={key}"
    session.create()
    assert by_id.pk
    return role


def fill_import(key: str, number: int) -> Import:
    text = f"Opportunity,Person Key,Role\nE-1,{key},Buyer\n"
    imported = Import(kind="roles", state=ImportState.COMMITTED, file_name=f"{key}.csv", format="csv", encoding="utf-8")
    imported.delimiter, imported.samples, imported.constants = ",", [[key]], {"Person Key": key}
    file_storage.store_file(imported, BytesIO(text.encode()))
    data = {"person_key": key, "person_id": None}
    ImportRow.objects.create(
        imported=imported, number=2, outcome="new", label=key, key=f"1|{key}|x", data=data, old=data
    )
    of_id = {"person_id": str(number)}
    ImportRow.objects.create(imported=imported, number=3, outcome="new", data=of_id)
    ImportProblem.objects.create(imported=imported, number=2, value=key, rule=f"“{key}” is twice")
    ImportGroup.objects.create(imported=imported, level="error", value=key, rule="x", count=1, first=2)
    ImportFix.objects.create(imported=imported, column="Person Key", value=key, replacement=key)
    return imported


def erase(value: str) -> Erasure:
    made = service.request_erasure(value, source=SyncJobSource.COMMAND, username="root", enqueue=False)
    assert service.run_erasure(made.pk)
    made.refresh_from_db()
    return made


def media_texts() -> str:
    folder = Path(django_settings.MEDIA_ROOT)
    return "".join(path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file())


def leave_in_queue(queue, key: str) -> None:
    """Work that failed, whose error names a person."""
    job = queue.enqueue("mobjects.retention.service.run_purge", 1)
    queue.remove(job)
    job.set_status(JobStatus.FAILED)
    queue.failed_job_registry.add(job, ttl=100)
    Result.create_failure(job, 100, f"ValueError: {key} is no number")


def redis_texts(queue) -> str:
    """All that Redis holds; what the queue packed, unpacked."""
    client = queue.connection
    read = {
        b"string": client.get,
        b"hash": client.hgetall,
        b"list": lambda name: client.lrange(name, 0, -1),
        b"set": client.smembers,
        b"zset": lambda name: client.zrange(name, 0, -1),
        b"stream": client.xrange,
    }
    text = repr([(name, read[client.type(name)](name)) for name in client.keys("*")])
    errors = [job.latest_result().exc_string for job in failed_jobs(queue) if job.latest_result()]
    return text + repr(errors)


def failed_jobs(queue) -> list:
    return [queue.fetch_job(name) for name in queue.failed_job_registry.get_job_ids(cleanup=False)]


def test_a_person_by_key_is_in_no_dump_and_others_stay(queue):
    fill(OTHER, OTHER_ID)
    before = dump().count(OTHER)
    role = fill(KEY, ID)
    leave_in_queue(queue, KEY)
    assert KEY in redis_texts(queue)
    assert dump().count(KEY) > before + 28
    made = erase(KEY)
    text = dump()
    assert text.count(OTHER) == before
    assert [line for line in text.replace(OTHER, "").splitlines() if KEY in line] == []
    assert KEY.replace("@", "%40") not in text.replace(OTHER.replace("@", "%40"), "")
    assert f"{KEY},".encode() not in b"".join(bytes(part.data) for part in ImportPart.objects.all())
    assert KEY not in media_texts()
    assert KEY not in redis_texts(queue)
    role.refresh_from_db()
    assert (role.person_key, role.role, role.is_dirty) == (made.mark, "Influencer", False)
    assert SyncResult.objects.filter(status="CREATED").count() == 4
    assert made.ended_at
    assert (made.sealed, made.digest) == ("", digest_of(KEY))


def test_a_person_by_id_is_in_no_dump_and_other_numbers_stay(queue):
    deal = factories.opportunity(amount=ID)
    fill(KEY, ID)
    fill(OTHER, OTHER_ID)
    OpportunityPersonRole.objects.filter(person_id=ID).update(last_error=f"Person ID {ID} is not known, {ID} times")
    leave_in_queue(queue, f"person {ID}")
    assert str(ID) in redis_texts(queue)
    erase(str(ID))
    assert str(ID) not in media_texts() + redis_texts(queue)
    assert not OpportunityPersonRole.objects.filter(person_id=ID).exists()
    assert factories.fresh(deal).amount == ID
    text = dump().replace(str(OTHER_ID), "")
    left = [line for line in text.splitlines() if str(ID) in line]
    assert all("person" not in line[max(0, line.index(str(ID)) - 12) : line.index(str(ID))].lower() for line in left)
    assert dump().count(str(OTHER_ID)) > 5


def test_what_waits_for_marketo_is_erased_afterwards():
    role = factories.role(factories.opportunity(), person_key=KEY)
    OpportunityPersonRole.objects.update(last_status=RecordStatus.UNKNOWN)
    made = service.request_erasure(KEY, source=SyncJobSource.COMMAND, username="root", enqueue=False)
    assert not service.run_erasure(made.pk)
    assert factories.fresh(role).person_key == KEY
    OpportunityPersonRole.objects.update(last_status=RecordStatus.CREATED)
    assert service.run_erasure(made.pk)
    assert factories.fresh(role).person_key == made.mark


def test_an_import_that_waits_is_discarded_as_it_would_bring_the_person_back():
    imported = fill_import(KEY, ID)
    Import.objects.filter(pk=imported.pk).update(state=ImportState.REVIEW)
    erase(KEY)
    imported.refresh_from_db()
    assert (imported.state, bool(imported.file_removed_at)) == (ImportState.DISCARDED, True)


def test_the_log_and_the_waiting_erasure_do_not_name_the_person():
    service.request_erasure(KEY, source=SyncJobSource.COMMAND, username="root", enqueue=False)
    assert KEY not in dump()


def test_the_command_says_where_and_then_erases():
    fill(KEY, ID)
    out = StringIO()
    call_command("erase_person", KEY, "--dry-run", stdout=out)
    assert '"opportunitypersonrole": 1' in out.getvalue()
    assert KEY in dump()
    call_command("erase_person", KEY, stdout=out)
    assert KEY not in dump()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("person lead-7 in D", True),
        ("lead-7.", True),
        ("(lead-7)", True),
        ("lead-77", False),
        ("lead-7-b", False),
        ("x-lead-7", False),
        ("lead-7@x", False),
    ],
)
def test_a_key_is_found_as_a_whole_only(text, found):
    assert (PersonName("lead-7", "[x]").replace_in_text(text) != text) is found


@pytest.mark.django_db(transaction=True)
def test_the_page_says_where_and_a_worker_erases(groups, queue, work):
    browser = pages.client("operator")
    address = "/admin/retention/erase/"
    assert browser.get(address).status_code == 403
    factories.User.objects.get(username="operator-user").user_permissions.add(factories.permission("erase_person"))
    role = factories.role(factories.opportunity(), person_key=KEY)
    shown = pages.words(browser.post(address, {"person": KEY, "reason": "asked"}))
    assert "opportunitypersonrole: 1" in shown
    assert factories.fresh(role).person_key == KEY
    shown = pages.words(browser.post(address, {"person": KEY, "reason": "asked", "erase": "1"}, follow=True))
    assert "The erasure was asked for." in shown
    work()
    assert KEY not in dump()
    assert digest_of(KEY)[:16] in pages.words(browser.get(address))
    assert browser.post(address, {"person": ""}).status_code == 400


def test_a_role_whose_person_was_erased_is_never_sent(marketo_settings):
    role = factories.role(factories.opportunity(marketo_id=5), person_key=KEY)
    erase(KEY)
    OpportunityPersonRole.objects.update(role="Other")
    job = factories.sync(factories.fresh(role))
    assert job.counts == {"HELD": 1}
