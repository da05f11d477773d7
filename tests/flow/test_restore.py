"""The drill: back up, send on, restore, and go on as the page says. Nothing is there twice, nothing is lost."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from redis import Redis

from mobjects.jobs.control import find_earliest_reset, reset_circuit
from mobjects.jobs.requests import create_job, create_sync_job
from mobjects.jobs.restored import check_installation
from mobjects.jobs.runner import run_job
from mobjects.marketo.types import Kind
from mobjects.models import (
    RECORD_MODELS,
    Circuit,
    Conflict,
    Installation,
    Opportunity,
    ProgramCost,
    RecordStatus,
    SyncJob,
    SyncJobAction,
    SyncJobState,
    records_of_kind,
)
from mobjects.sync.compare.task import CompareSelection
from mobjects.sync.pull.task import PullSelection
from mobjects.sync.send.selection import SyncSelection
from tests import factories
from tests.support.backup import backup_in_mid_call, bring_back, make_backup, restored_elsewhere
from tests.views import pages

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("marketo_settings", "groups")]
DEALS, SENT, ROLES, PROGRAMS = 150, 120, 40, 20
KEY = "ExternalOpportunityId"


@pytest.fixture(params=["", KEY], ids=["without a key", "with a key"])
def key(request, settings):
    settings.MARKETO = {**settings.MARKETO, "OPPORTUNITY_KEY_FIELD": request.param}
    return request.param


@pytest.fixture
def world(world):
    return world()


@pytest.fixture
def records(world, sandbox):
    """Deals, roles and costs that Marketo does not have; a first call was made before, so the site is known."""
    with world.host():
        factories.sync(factories.opportunity(name="From before"))
        deals = [factories.opportunity(name=f"Deal {number}", amount=number) for number in range(DEALS)]
        for deal in deals[:ROLES]:
            factories.role(deal)
        for number in range(PROGRAMS):
            factories.cost(factories.program(marketo_id=1001 + number, name=f"Program {number}"))
            sandbox.store.programs[1001 + number].costs.clear()
    return [deal.pk for deal in deals]


def send(world, **selection):
    """A job that sends, as far as it comes by itself."""
    with world.host():
        job = create_sync_job(SyncSelection(**selection))
        run_job(job)
        job.refresh_from_db()
    return job


def send_on(world, records):
    """What happens between the backup and the loss of the database."""
    send(world, kinds=(Kind.OPPORTUNITY,), ids=tuple(records[:SENT]))
    send(world, kinds=(Kind.PROGRAM, Kind.ROLE))
    world.advance(3600)


def reset(world):
    """A person lets sending go on as soon as that may be."""
    with world.host():
        boss = factories.user("boss")
        assert find_earliest_reset() == Circuit.objects.get(reset_at=None).opened_at + timedelta(seconds=180)
        assert not reset_circuit(boss)
    world.advance(181)
    with world.host():
        assert reset_circuit(boss)


def finish(world):
    """All that waits goes on."""
    for job in SyncJob.objects.exclude(state__in=SyncJob.FINAL_STATES):
        for _ in range(10):
            with world.host():
                run_job(job)
            job.refresh_from_db()
            if job.state in SyncJob.FINAL_STATES:
                break
            world.advance(200)


def in_marketo(sandbox):
    """How often each thing is in Marketo: deals, roles, costs; each as times by how many."""
    store = sandbox.store
    deals = Counter(
        each.values["Name"] for each in store.opportunities.values() if each.values["Name"] != "From before"
    )
    roles = Counter(each.values["OpportunityId"] for each in store.roles.values())
    costs = {number: len(each.costs) for number, each in store.programs.items() if 1001 <= number < 1001 + PROGRAMS}
    return [Counter(found.values()) for found in (deals, roles, costs)]


def lose_redis(redis_url):
    with Redis.from_url(redis_url) as client:
        client.flushdb()


def lose_host(settings, tmp_path):
    settings.INSTALLATION_FILE = str(tmp_path / "new-host" / "installation.json")


@pytest.mark.parametrize("lost", ["nothing", "redis", "host", "redis and host"])
def test_what_was_sent_since_the_backup_is_found_and_not_sent_again(
    sandbox, world, records, key, lost, redis_url, settings, tmp_path
):
    backup = make_backup(tmp_path)
    send_on(world, records)
    bring_back(backup)
    if "redis" in lost:
        lose_redis(redis_url)
    if "host" in lost:
        lose_host(settings, tmp_path)
    calls = len(sandbox.calls)
    job = send(world, kinds=tuple(Kind))
    assert (job.state, len(sandbox.calls)) == (SyncJobState.WAITING, calls)
    assert Circuit.objects.get().code == Circuit.RESTORED
    reset(world)
    finish(world)
    assert in_marketo(sandbox) == [{1: DEALS}, {1: ROLES}, {1: PROGRAMS}]
    assert not Conflict.objects.exists()
    assert {kind: records_of_kind(kind).dirty().count() for kind in RECORD_MODELS} == dict.fromkeys(RECORD_MODELS, 0)
    assert not ProgramCost.objects.filter(marketo_cost_id=None).exists()


def test_a_backup_of_a_running_job_restored_elsewhere_with_an_empty_redis_sends_nothing_twice(
    sandbox, world, records, key, redis_url, settings, tmp_path
):
    """The backup is made while a call is under way; the original goes on, and so does Marketo."""
    with backup_in_mid_call(tmp_path, lambda: len(sandbox.calls)) as made:
        send(world, kinds=(Kind.OPPORTUNITY,))
    send(world, kinds=(Kind.PROGRAM, Kind.ROLE))
    assert in_marketo(sandbox) == [{1: DEALS}, {1: ROLES}, {1: PROGRAMS}]
    world.advance(3600)
    lose_redis(redis_url)
    lose_host(settings, tmp_path)
    calls = len(sandbox.calls)
    with restored_elsewhere(made[0], tmp_path):
        (job,) = SyncJob.objects.filter(state=SyncJobState.RUNNING)
        assert (job.leases.count(), job.batches.get().state) == (1, "sending")
        finish(world)
        assert len(sandbox.calls) == calls
        with world.host():
            said = pages.text(pages.client().get("/admin/connection/"))
        assert '<a href="/admin/compare/">Compare by reading</a>' in said
        assert "is a copy, or was moved" in said
        with world.host():
            assert reset_circuit(factories.user("boss"))
        send(world, kinds=tuple(Kind))
        finish(world)
        assert in_marketo(sandbox) == [{1: DEALS}, {1: ROLES}, {1: PROGRAMS}]
        assert not Conflict.objects.exists()
        assert not any(records_of_kind(kind).dirty().exists() for kind in RECORD_MODELS)
        assert not SyncJob.objects.exclude(state__in=SyncJob.FINAL_STATES).exists()


def test_a_copy_in_another_place_takes_an_identity_of_its_own_and_leaves_the_marks_of_the_original(
    world, records, redis_url
):
    before = Installation.objects.get().identity
    Installation.objects.update(place="another server")
    with world.host():
        check_installation()
    after = Installation.objects.get()
    assert (after.identity != before, after.place != "another server") == (True, True)
    with Redis.from_url(redis_url) as client:
        assert {name.decode() for name in client.zrange("marketo-installations", 0, -1)} == {before, after.identity}
    assert "is a copy, or was moved" in Circuit.objects.get().reason
    with world.host():
        check_installation()
    assert Installation.objects.get().identity == after.identity


def test_the_pages_say_what_it_does_not_know_and_reading_goes_on(sandbox, world, records, tmp_path):
    backup = make_backup(tmp_path)
    send_on(world, records)
    bring_back(backup)
    with world.host():
        check_installation()
        said = pages.text(pages.client().get("/admin/connection/"))
        assert "This database was restored from a backup" in said
        assert f"there before: {PROGRAMS} programs, {DEALS} opportunities, {ROLES} person roles." in said
        assert '<a href="/admin/compare/">Compare by reading</a>' in said
        asked = CompareSelection((Kind.OPPORTUNITY,))
        job = create_job(SyncJobAction.COMPARE, asked.kind_of_job, asked.to_json())
        run_job(job)
        job.refresh_from_db()
    assert job.state in (SyncJobState.SUCCEEDED, SyncJobState.PROBLEMS)
    assert records_of_kind(Kind.OPPORTUNITY).filter(last_status=RecordStatus.UNKNOWN).count() == DEALS


def test_where_marketo_is_further_on_than_the_copy_is_told_by_comparing_and_by_pulling(sandbox, world, tmp_path):
    with world.host():
        sent, both, same = (factories.opportunity(name=name, stage="Open") for name in ("Sent", "Both", "Same"))
        factories.sync(sent, both, same)
        Opportunity.objects.filter(pk=both.pk).update(stage="Changed here")
    backup = make_backup(tmp_path)
    with world.host():
        Opportunity.objects.exclude(pk=same.pk).update(stage="Won since")
        factories.opportunity(name="Made since")
        factories.sync()
    world.advance(3600)
    bring_back(backup)
    calls = len(sandbox.calls)
    with world.host():
        check_installation()
        said = pages.text(pages.client().get("/admin/connection/"))
        assert "What was sent and changed since, here and in Marketo, it does not know." in said
        assert "What was made here after the backup" in said
        asked = CompareSelection((Kind.OPPORTUNITY,))
        job = create_job(SyncJobAction.COMPARE, asked.kind_of_job, asked.to_json())
        run_job(job)
        job.refresh_from_db()
        rows = {row.label: row for row in job.results.all()}
        assert {name: row.status for name, row in rows.items()} == {"Sent": "DIFFERS", "Both": "DIFFERS"}
        assert [rows[name].diff for name in rows] == [[["Stage", "Open", "Won since"]]] * 2
        assert (rows["Sent"].error, rows["Both"].error) == ("", "Here, not sent yet: Stage is “Changed here”.")
        assert job.counts == {"DIFFERS": 2, "SAME": 1}
        pulled = create_job(SyncJobAction.PULL, Kind.OPPORTUNITY.value, PullSelection(Kind.OPPORTUNITY).to_json())
        run_job(pulled)
        assert set(Opportunity.objects.values_list("name", "stage")) == {
            ("Sent", "Won since"),
            ("Both", "Changed here"),
            ("Same", "Open"),
            ("Made since", ""),
        }
        assert Conflict.objects.get(decided_at=None).record_id == both.pk
    assert {call.operation for call in sandbox.calls[calls:]} <= {"getMObjects", "describeMObject"}


def test_a_new_installation_and_one_whose_redis_lost_its_data_are_not_halted(world, records, redis_url):
    lose_redis(redis_url)
    world.advance(3600)
    with world.host():
        assert factories.sync(factories.opportunity(name="One more")).state == SyncJobState.SUCCEEDED
    assert not Circuit.objects.exists()
