"""An import through its pages with a real worker: upload, columns, corrections, writing, sync, undo."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from mobjects.models import Import, Opportunity, SyncJob
from tests import factories
from tests.views import pages

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("marketo_settings", "groups")]

CSV = """External ID;Name;Betrag;CloseDate;Stage;Internal note
E-1;Seoul renewal;12000.50;2026-11-30;Negotiation;call first
E-2;서울 기회;8000;Nov 30th;Negotiation;
E-3;Expansion Busan;4500.00;Nov 30th;Proposal;
E-4;Größe & Söhne;3,50,0;2026-12-15;Proposal;
E-5;Renewal Incheon;990.00;2026-10-31;Closed Won;
E-6;Upgrade Ulsan;2100.00;2026-12-01;Proposal;
"""
COLUMNS = ("=External ID", "=Name", "=Amount", "=CloseDate", "=Stage", "-")


def url(name):
    return reverse(f"mobjects:{name}", args=[Import.objects.get().pk])


@pytest.fixture
def here():
    """Records that the file means: one is the same already, one differs."""
    factories.opportunity(
        external_id="E-5", name="Renewal Incheon", stage="Closed Won", amount="990.00", close_date="2026-10-31"
    )
    factories.opportunity(external_id="E-6", name="Upgrade Ulsan", stage="Proposal", amount="1800.00")


def correct(browser, work):
    """Correct one error for all rows, and one in its row."""
    group = Import.objects.get().groups.get(value="Nov 30th")
    assert group.count == 2
    browser.post(url("import-fix"), {f"group_{group.pk}": "2026-11-30"})
    work()
    problem = Import.objects.get().found_problems.get()
    browser.post(url("import-fix"), {f"number_{problem.pk}": "3500"})
    work()


@pytest.mark.usefixtures("here")
def test_from_upload_to_undo(work, sandbox):
    browser = pages.client()
    file = SimpleUploadedFile("pipeline.csv", CSV.encode())
    answer = browser.post(reverse("mobjects:import-new"), {"kind": "opportunities", "file": file})
    assert answer["Location"] == url("import-columns")
    columns = {f"column-{index}": means for index, means in enumerate(COLUMNS)}
    browser.post(url("import-columns"), {**columns, "check": "1"})
    work()

    shown = pages.text(browser.get(url("import-review")))
    for words in ("Errors: 3 rows", "New: 1 row", "Changed: 1 row", "Unchanged: 1 row"):
        assert words in shown
    assert Opportunity.objects.count() == 2
    correct(browser, work)
    page = browser.get(url("import-review") + "?tab=changed")
    assert "Write 4 new and 1 changed" in pages.text(page)
    assert "<s>1800.00</s> → 2100.00" in pages.text(page)

    browser.post(url("import-write"), {"checked": page.context["write"]["stamp"], "mode": "all"})
    work()
    assert "Written: 4 created, 1 changed." in pages.text(browser.get(url("import")))
    assert str(Opportunity.objects.get(external_id="E-4").amount) == "3500.00"

    page = browser.get(f"{reverse('mobjects:sync')}?kind=Opportunity&of_import={Import.objects.get().pk}")
    browser.post(reverse("mobjects:sync"), {**page.context["form"].data, "ids": "", "send": "1"})
    work()
    job = SyncJob.objects.get()
    assert job.result_count == 5
    assert str(job.pk) in pages.text(browser.get(url("import")))

    assert "restore 1 record, remove 0 that the import created, and leave 4 alone" in pages.text(
        browser.get(url("import-undo"))
    )
    browser.post(url("import-undo"))
    work()
    assert "Undone: 1 restored, 4 left alone." in pages.text(browser.get(url("import")))
    assert str(Opportunity.objects.get(external_id="E-6").amount) == "1800.00"


def test_a_correction_with_a_character_that_no_database_keeps(work):
    browser = pages.client()
    file = SimpleUploadedFile("a.csv", b"External ID,Name,Amount\nE-1,Alpha,much\n")
    browser.post(reverse("mobjects:import-new"), {"kind": "opportunities", "file": file})
    work()
    group = Import.objects.get().groups.get()
    assert browser.post(url("import-fix"), {f"group_{group.pk}": "1\0002"}).status_code == 302
    assert Import.objects.get().fixes.get().replacement == "12"
