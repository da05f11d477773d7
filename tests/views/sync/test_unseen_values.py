"""Whoever may not see records, or costs, sees no values of them in history, previews and decisions either."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from mobjects.jobs.requests import request_dry_run
from mobjects.jobs.runner import run_job
from mobjects.models import Conflict, Kind, Opportunity, ProgramCost, SyncBatch, SyncJob, SyncResult
from mobjects.sync.conflicts import alike
from mobjects.sync.send.selection import SyncSelection
from tests import factories
from tests.api.clients import ApiClient, token
from tests.support.approvals import ask, make_rule
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings", "queue", "groups")]

OLD, NEW = "7654321.00", "7654323.00"
LACKING = {
    Kind.PROGRAM: ("view_programcost", "change_programcost", "add_programcost", "delete_programcost"),
    Kind.OPPORTUNITY: ("view_opportunity", "change_opportunity", "add_opportunity", "delete_opportunity"),
}


def make_history(kind: Kind) -> dict[str, str]:
    """A record that was sent, changed, looked at, held and is in dispute; addresses that show values of it."""
    if kind is Kind.PROGRAM:
        record: Any = factories.program()
        entry = factories.cost(record)
        factories.sync(record)
        ProgramCost.objects.update(amount=Decimal(OLD))
        factories.sync(record)
        ProgramCost.objects.update(amount=Decimal(NEW))
        name, here, there = f"Cost {entry.pk}", f"2026-06 {OLD}", f"2026-06 {NEW}"
    else:
        record = factories.opportunity()
        factories.sync(record)
        Opportunity.objects.update(amount=Decimal(OLD))
        factories.sync(record)
        Opportunity.objects.update(amount=Decimal(NEW))
        name, here, there = "Amount", OLD, NEW
    dry = request_dry_run(SyncSelection((kind,)))
    run_job(dry)
    make_rule()
    held = ask(SyncSelection((kind,)))
    base = {"kind": kind.value, "label": "x", "reason": "both", "base": {name: "1"}, "here": {name: here}}
    candidates = [{"id": 7, "values": {name: there}, "created_at": None, "updated_at": None}]
    conflicts = [
        Conflict.objects.create(record_id=pk, candidates=candidates, **base) for pk in (record.pk, record.pk + 1000)
    ]
    alike.fill_missing_keys()
    group = alike.list_groups()[0]
    same = group.alike[0].values_key
    sent = SyncResult.objects.filter(kind=kind.value, status="UPDATED").latest("pk")
    return {
        "form": f"/admin/mobjects/{record._meta.model_name}/{record.pk}/change/",
        "history": f"/admin/sync-history/{kind.value}/{record.pk}/",
        "restore": f"/admin/sync-history/{kind.value}/{record.pk}/restore/result-{sent.pk}/",
        "preview": f"/admin/sync/?kind={kind.value}",
        "results": "/admin/mobjects/syncresult/?status=all",
        "result": f"/admin/sync-results/{sent.pk}/",
        "file": "/admin/sync-results/results.csv?status=all",
        "job": pages.job_url(dry),
        "undo": f"/admin/sync-jobs/{sent.job_id}/undo/?kind={kind.value}&which=changed",
        "batch": f"/admin/mobjects/syncbatch/{SyncBatch.objects.latest('pk').pk}/change/",
        "approval": f"/admin/approvals/{held.approvals.get().pk}/",
        "conflict": f"/admin/mobjects/conflict/{conflicts[0].pk}/change/",
        "groups of conflicts": "/admin/conflicts/alike/",
        "group of conflicts": f"/admin/conflicts/alike/{group.kind}/{group.fields_key}/?values={same}",
    }


def person(name: str, *without: str):
    """Somebody who may do all but a few things and does not read requests."""
    made = factories.user(name)
    held = Permission.objects.filter(content_type__app_label="mobjects")
    made.user_permissions.set(held.exclude(codename__in=("view_payload", *without)))
    return made


def shows_values(response) -> bool:
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return OLD.encode() in body or NEW.encode() in body


@pytest.mark.parametrize("kind", list(LACKING))
def test_no_page_shows_values_to_whoever_may_not_see_them(kind):
    shown = make_history(kind)
    browsers = []
    for name, without in (("sees", ()), ("lacks", LACKING[kind])):
        browser = Client()
        browser.force_login(person(name, *without))
        browsers.append(browser)
    sees, lacks = browsers
    assert [name for name, address in shown.items() if not shows_values(sees.get(address, follow=True))] == []
    assert [name for name, address in shown.items() if shows_values(lacks.get(address, follow=True))] == []


@pytest.mark.parametrize("kind", list(LACKING))
def test_nobody_decides_or_takes_back_what_they_may_not_see(kind):
    shown = make_history(kind)
    browser = Client()
    browser.force_login(person("lacks", *LACKING[kind]))
    conflict = Conflict.objects.earliest("pk")
    for address in (
        shown["undo"],
        shown["restore"],
        shown["group of conflicts"],
        f"/admin/conflicts/{conflict.pk}/decide/",
    ):
        assert browser.post(address, {"all": "here"}).status_code == 403, address
    conflict.refresh_from_db()
    assert conflict.decided_at is None
    assert not SyncJob.objects.filter(action="undo").exists()


def test_programs_are_not_found_by_costs_that_somebody_may_not_see():
    program = factories.program()
    factories.cost(program, amount=Decimal(OLD))
    lists = "/admin/mobjects/program/?where=cost_amount.from.7000000"
    for name, without, status in (("sees", (), 200), ("lacks", LACKING[Kind.PROGRAM], 400)):
        user, browser = person(name, *without), Client()
        browser.force_login(user)
        assert browser.get(lists).status_code == status
        page = browser.get("/admin/mobjects/program/").content.decode()
        assert ("Amount of a cost" in page) is (status == 200)
        assert "Tag (type: value)" in page
        answer = ApiClient(token(user)[1]).get("programs", where="cost_amount.from.7000000")
        assert answer.status_code == (200 if status == 200 else 422)
