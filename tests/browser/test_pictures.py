"""The pictures in docs/: one of each page, from the demo's ordinary day.

`make pictures` takes them anew (WRITE_PICTURES=1); PICTURES_LANGUAGE=ko takes those of the front page in Korean.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Callable

import django_rq
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.template import loader
from django.urls import reverse
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from mobjects.jobs.requests import create_sync_job, request_dry_run
from mobjects.jobs.runner import run_job
from mobjects.marketo.types import Kind
from mobjects.models import Conflict, Import, ImportState, Opportunity, Program, RecordEdit, Schedule, SyncJob
from mobjects.processes.scheduler import TickScheduler
from mobjects.sync.conflicts import alike
from mobjects.sync.send.selection import SyncSelection
from tests.files import ROOT
from tests.support.approvals import ask as ask_for_approval
from tests.support.approvals import make_rule
from tests.support.site_pages import PAGES

FOLDER = ROOT / "docs" / "images"
WRITING = bool(os.environ.get("WRITE_PICTURES"))
LANGUAGE = os.environ.get("PICTURES_LANGUAGE", "")
MOST_BYTES = 4_200_000
QUALITY = 80


def story_pages() -> dict[str, str]:
    """The address of each page, about those records of the demo that show most."""
    job = SyncJob.objects.get(reason="Pipeline review")
    addresses = {name: address() for name, address in PAGES.items()}
    deal = Opportunity.objects.get(external_id="OPP-0018").pk
    return addresses | {
        "program": f"/admin/mobjects/program/{Program.objects.get(marketo_id=1002).pk}/change/",
        "opportunity": f"/admin/mobjects/opportunity/{deal}/change/",
        "job": f"/admin/mobjects/syncjob/{job.pk}/change/",
        "undo": f"/admin/sync-jobs/{job.pk}/undo/",
        "batch": f"/admin/mobjects/syncbatch/{job.batches.earliest('pk').pk}/change/",
        "record history": f"/admin/sync-history/Opportunity/{deal}/",
        "import review": f"/admin/imports/{Import.objects.latest('pk').pk}/review/",
        "decision": f"/admin/mobjects/conflict/{Conflict.objects.get().pk}/change/",
    }


def _restore_page() -> str:
    edit = RecordEdit.objects.filter(kind="Opportunity", source__in=("form", "bulk")).latest("pk")
    return reverse("mobjects:record-restore", args=["Opportunity", edit.record_id, f"edit-{edit.pk}"])


def _decide_many() -> str:
    """As if a colleague had changed the same fields of two more records in Marketo."""
    conflict = Conflict.objects.get(decided_at=None)
    for record in Opportunity.objects.filter(external_id__in=("OPP-0013", "OPP-0014")):
        conflict.pk, conflict.record_id, conflict.label = None, record.pk, str(record)
        conflict.save(force_insert=True)
    alike.fill_missing_keys()
    return reverse("mobjects:conflict-groups")


def _undo_of_import() -> str:
    written = Import.objects.filter(state=ImportState.COMMITTED).earliest("pk")
    return reverse("mobjects:import-undo", args=[written.pk])


def _waiting_import() -> int:
    return Import.objects.filter(state=ImportState.REVIEW).latest("pk").pk


def _dry_run() -> str:
    job = request_dry_run(SyncSelection((Kind.OPPORTUNITY,)), reason="What would the pipeline review send?")
    run_job(job)
    return f"/admin/mobjects/syncjob/{job.pk}/change/"


def _approval_rules() -> str:
    make_rule(name="Two pairs of eyes for large amounts", work="send", kind=Kind.OPPORTUNITY.value, amount_over=25000)
    make_rule(name="Whatever is deleted in Marketo", work="delete")
    return "/admin/mobjects/approvalrule/"


def _approval() -> str:
    person = User.objects.create_user("maria", first_name="Maria")
    job = ask_for_approval(user=person, reason="Quarter end")
    return reverse("mobjects:approval", args=[job.approvals.get().pk])


FURTHER: dict[str, Callable[[], str]] = {
    "import page": lambda: f"/admin/imports/{_waiting_import()}/",
    "import columns": lambda: f"/admin/imports/{_waiting_import()}/columns/",
    "custom fields": lambda: "/admin/mobjects/customfield/",
    "batches": lambda: "/admin/mobjects/syncbatch/",
    "schedule": lambda: f"/admin/mobjects/schedule/{Schedule.objects.latest('pk').pk}/change/",
    "restore values": _restore_page,
    "moving": lambda: reverse("mobjects:moving"),
    "users": lambda: "/admin/auth/user/",
    "retention": lambda: reverse("mobjects:retention"),
    "erase a person": lambda: reverse("mobjects:erase-person"),
    "dry run": _dry_run,
    "approval rules": _approval_rules,
    "approval": _approval,
    "to approve": lambda: "/admin/mobjects/approval/",
    "decide many": _decide_many,
    "notice settings": lambda: reverse("mobjects:notice-settings"),
    "webhook": lambda: reverse("mobjects:webhook-new"),
    "undo of an import": _undo_of_import,
    "log in": lambda: "/admin/login/",
}
"""Pages that have a picture and are not walked by axe in :data:`PAGES`; the last is for who is not logged in."""
BROKEN = "broken"
RIGHTS = (
    *("manage_users", "view_purge", "run_purge", "erase_person", "manage_notices", "approve_work"),
    *("view_approvalrule", "add_approvalrule", "change_approvalrule", "delete_approvalrule"),
)


def slug(name: str) -> str:
    return name.replace(" ", "-")


def take(page, name: str) -> None:
    """What is seen without scrolling, as WebP, which is a quarter of PNG."""
    page.wait_for_load_state("networkidle")
    page.evaluate("document.activeElement?.blur(); scrollTo(0, 0)")
    asked = {"format": "webp", "quality": QUALITY}
    shot = page.context.new_cdp_session(page).send("Page.captureScreenshot", asked)
    target = FOLDER / f"{name}.webp"
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(base64.b64decode(shot["data"]))


@pytest.fixture
def ordinary_day(marketo_rest_settings, groups, sandbox, settings, tmp_path) -> SimpleWorker:
    """The demo's data and history, and a worker that pages find alive."""
    settings.STATIC_ROOT = str(tmp_path / "static")
    keys = {"OPPORTUNITY": "ExternalOpportunityId", "PERSON": "ExternalPersonId", "COMPANY": "ExternalCompanyId"}
    settings.MARKETO = {**settings.MARKETO, **{f"{name}_KEY_FIELD": field for name, field in keys.items()}}
    call_command("load_demo", verbosity=0)
    run_job(create_sync_job(SyncSelection(kinds=tuple(Kind)), reason="First sync"))
    worker = _start_worker_and_clock()
    call_command("load_story", sandbox_port=int(sandbox.rest_endpoint.split(":")[2].split("/")[0]))
    return worker


def _start_worker_and_clock() -> SimpleWorker:
    """As if they ran: pages say when none does."""
    queue = django_rq.get_queue("sync")
    worker = SimpleWorker([queue], connection=queue.connection, serializer=JSONSerializer)
    worker.register_birth()
    TickScheduler().register_birth()
    return worker


@pytest.mark.skipif(not WRITING, reason="only on demand: make pictures")
@pytest.mark.browser
@pytest.mark.timeout(300)
@pytest.mark.django_db(transaction=True)
def test_write_pictures(open_page, ordinary_day):
    suffix = f"-{LANGUAGE}" if LANGUAGE else ""
    pages = story_pages()
    for look, options in (("light", {}), ("dark", {"dark": True}), ("narrow", {"phone": True})):
        for name in ("dashboard", "job"):
            page = open_page(pages[name], language=LANGUAGE, **options)
            take(page, f"{name}-{look}{suffix}")
    if LANGUAGE:
        return
    page = open_page("/admin/", rights=["view_auditevent"])
    for name, address in pages.items():
        ordinary_day.heartbeat()
        page.goto(address)
        take(page, f"pages/{slug(name)}")


@pytest.mark.skipif(not WRITING, reason="only on demand: make pictures")
@pytest.mark.browser
@pytest.mark.timeout(300)
@pytest.mark.django_db(transaction=True)
def test_write_pictures_of_further_pages(open_page, ordinary_day):
    page = open_page("/admin/", rights=RIGHTS)
    for name, address in FURTHER.items():
        ordinary_day.heartbeat()
        if name == "log in":
            page.context.clear_cookies()
        page.goto(address())
        take(page, f"pages/{slug(name)}")
    page.goto("about:blank")
    page.set_content(loader.render_to_string("500.html", {"request_id": "8f14e45fceea167a5a36dedd4bea2543"}))
    take(page, f"pages/{BROKEN}")


def test_every_page_of_the_walk_has_its_picture_and_a_sentence_in_the_docs():
    text = (ROOT / "docs" / "pages.md").read_text(encoding="utf-8")
    shown = dict(re.findall(r"^(\S.{20,})\n\n!\[[^\]]+\]\(images/pages/([\w-]+)\.webp\)", text, re.MULTILINE))
    assert {slug(name) for name in (*PAGES, *FURTHER, BROKEN)} <= set(shown.values())
    files = {path.stem for path in (FOLDER / "pages").glob("*.webp")}
    assert files == set(shown.values())


def test_the_pictures_are_small():
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) <= MOST_BYTES
