"""Every count leads to exactly the records that it counts."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from lxml import html
from rq import Worker
from rq.executions import prepare_execution

from mobjects.models import Opportunity, SyncJobState
from mobjects.presentation.job_titles import job_title
from tests import factories
from tests.views import pages
from tests.views.imports import made_imports as made

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings", "redis_url")]


@pytest.fixture
def browser(groups):
    return pages.client()


def links(response) -> dict[str, str]:
    page = html.fromstring(response.content.decode())
    return {" ".join(a.text_content().split()): str(a.get("href")) for a in page.xpath("//a[@href]")}


def listed(response) -> list[str]:
    """The records of a list that a count led to."""
    return sorted(
        " ".join(cell.text_content().split())
        for cell in html.fromstring(response.content.decode()).xpath("//tbody/tr/th")
    )


@pytest.fixture
def job(groups):
    job = pages.job(state=SyncJobState.PROBLEMS, planned=3, counts={"CREATED": 1, "FAILED": 2})
    for name, status in (("Good", "CREATED"), ("Bad", "FAILED"), ("Worse", "FAILED")):
        pages.result(job, status=status, label=name, error="Stage" if status == "FAILED" else "")
    return job


@pytest.mark.parametrize("page", ["admin:index", "admin:mobjects_syncjob_changelist"])
def test_the_outcome_of_a_job_leads_to_the_records_with_each_status(browser, job, page):
    found = links(browser.get(reverse(page)))
    assert found["2 failed"] == pages.job_url(job, "?status=FAILED#results")
    assert found["1 created"] == pages.job_url(job, "?status=CREATED#results")
    rows = browser.get(found["2 failed"]).context["rows"]
    assert [row.label for row in rows] == ["Bad", "Worse"]


def test_a_shared_reason_leads_to_its_records(browser, job):
    response = browser.get(pages.job_url(job))
    address = links(response)["Show these 2"]
    assert [row.label for row in browser.get(pages.job_url(job, address)).context["rows"]] == ["Bad", "Worse"]


def test_each_count_of_records_on_the_dashboard_leads_to_them(browser):
    for number, state in enumerate(("", "FAILED", "SKIPPED", "UNKNOWN")):
        factories.opportunity(name=f"O{number}", last_status=state, answered_revision=1)
        factories.opportunity(name=f"P{number}", last_status=state, answered_revision=0)
    response = browser.get(reverse("admin:index"))
    counted = {
        what: (kind.kind, kind.counts[what])
        for kind in response.context["waiting"].kinds
        for what in kind.counts
        if kind.counts[what]
    }
    assert counted == {
        "failed": ("Opportunity", 1),
        "skipped": ("Opportunity", 1),
        "unknown": ("Opportunity", 2),
        "unsent": ("Opportunity", 8),
    }
    for state, (_, count) in counted.items():
        address = f"{reverse('admin:mobjects_opportunity_changelist')}?state={state}"
        assert f'href="{address}"' in pages.text(response)
        assert browser.get(address).context["cl"].result_count == count


def press_line(browser, response, words):
    """Press the count in the line of a form that says something."""
    page = html.fromstring(response.content.decode())
    button = page.xpath(f"//tr[contains(., '{words}')]//button[@name='list']")[0]
    form = dict(page.xpath("//main//form")[0].form_values())
    return browser.post(page.xpath("//main//form")[0].get("action"), {**form, "list": button.get("value")})


def test_what_will_be_sent_and_held_back_is_listed(browser):
    good = factories.opportunity(name="Good")
    factories.opportunity(name="By key", company_key="C-1")
    factories.role(good, role="Waits with it")
    lost = factories.role(factories.opportunity(name="Not selected", company_key="C-2"), role="Alone")
    preview = browser.get(reverse("mobjects:sync") + "?kind=all")
    assert listed(press_line(browser, preview, "its company is given by key")) == ["By key", "Not selected"]
    assert listed(press_line(browser, preview, "INSERT")) == ["Good"]
    held = press_line(browser, preview, "no Marketo ID yet")
    assert listed(held) == [str(lost)]
    assert "Held back: its opportunity has no Marketo ID yet" in pages.text(held)


def test_what_is_new_in_marketo_is_listed_line_by_line(browser, settings):
    settings.MARKETO = {**settings.MARKETO, "OPPORTUNITY_KEY_FIELD": "ExternalOpportunityId"}
    factories.opportunity(name="New")
    factories.opportunity(name="Known", marketo_id=7)
    factories.opportunity(name="By key", accepted={"Name": "Old"})
    preview = browser.get(reverse("mobjects:sync") + "?kind=Opportunity")
    page, found = html.fromstring(preview.content.decode()), {}
    form = page.xpath("//main//form")[0]
    for button in page.xpath("//button[@name='list'][starts-with(@value, 'new:')]"):
        values = {**dict(form.form_values()), "list": button.get("value")}
        answer = browser.post(form.get("action"), values)
        assert "New in Marketo" in pages.words(answer)
        found[button.get("value")] = (button.text_content(), listed(answer))
    assert found == {"new:Opportunity|UPSERT|": ("1", ["New"])}


def test_a_listed_selection_keeps_to_what_was_selected_and_leads_back(browser):
    records = [factories.opportunity(name=f"O{number:03}") for number in range(150)]
    factories.opportunity(name="Other")
    data = {"action": "sync_selected", "_selected_action": [record.pk for record in records]}
    preview = browser.post(reverse("admin:mobjects_opportunity_changelist"), data)
    first = press_line(browser, preview, "INSERT")
    assert "150 records" in pages.text(first)
    assert listed(first)[0] == "O000"
    form = html.fromstring(first.content.decode()).xpath("//main//form")[0]
    values = dict(form.form_values())
    second = browser.post(form.get("action"), {**values, "list": form.xpath(".//button[.='Next']/@value")[0]})
    assert listed(second) == [f"O{number:03}" for number in range(25, 50)]
    assert "Send 150 records to Marketo" in pages.text(browser.post(form.get("action"), {**values, "preview": "1"}))


def test_a_line_that_is_none_is_not_found(browser):
    form = {"kind": "all", "token": "0" * 32, "operation": "AUTO"}
    for value in ("Lead||", "Opportunity|DROP|", "nonsense"):
        assert browser.post(reverse("mobjects:sync"), {**form, "list": value}).status_code == 404


def test_what_a_deletion_in_marketo_counts_is_listed(groups):
    Group.objects.get(name="operator").permissions.add(factories.permission("delete_in_marketo"))
    boss = pages.client()
    opportunity = factories.opportunity(name="There", marketo_id=64)
    factories.role(opportunity, role="Never sent")
    here = factories.opportunity(name="Only here")
    address = reverse("mobjects:delete-in-marketo")
    form = {"kind": "Opportunity", "ids": f"{opportunity.pk},{here.pk}"}
    for which, names in {
        "opportunities": ["There"],
        "never_sent": ["Only here"],
        "roles_here": ["Never sent of person 19 in There"],
        "unsent": ["Never sent of person 19 in There", "There"],
    }.items():
        assert listed(boss.post(address, {**form, "list": which})) == names, which
    assert "To confirm, type" in pages.text(boss.post(address, {**form, "preview": "1"}))
    assert Opportunity.objects.count() == 2


def test_what_an_import_wrote_leads_to_these_records(browser):
    imported = made.imported(
        state="committed", written={"created": 1, "changed": 1, "left": 1}, committed_at=pages.MOMENT
    )
    new, old, other = (factories.opportunity(name=name) for name in ("New", "Old", "Other"))
    made.change(imported, 2, new, created=True)
    made.change(imported, 3, old)
    made.change(made.imported(), 2, other, created=True)
    for page in (reverse("mobjects:import", args=[imported.pk]), reverse("admin:mobjects_import_changelist")):
        found = links(browser.get(page))
        assert list(browser.get(found["1 created"]).context["cl"].queryset) == [new]
        assert list(browser.get(found["1 changed"]).context["cl"].queryset) == [old]
    programs = reverse("admin:mobjects_program_changelist")
    factories.program()
    assert browser.get(f"{programs}?import={imported.pk}-created").context["cl"].result_count == 0


def test_what_a_check_found_leads_to_its_rows(browser):
    imported = made.imported()
    made.row(imported, 2, "new")
    made.row(imported, 3, "error")
    made.count(imported)
    found = links(browser.get(reverse("admin:mobjects_import_changelist")))
    assert found["1 with errors"] == reverse("mobjects:import-review", args=[imported.pk]) + "?tab=error"


def rows_behind(browser, imported, address) -> list[int]:
    """The numbers of the rows that a count of an import leads to."""
    assert address.startswith(reverse("mobjects:import-review", args=[imported.pk]))
    return [row.number for row in browser.get(address).context["shown"]]


def test_what_an_import_left_out_leads_to_its_rows_with_the_reasons(browser):
    imported = made.imported(
        state="committed", mode="valid", committed_to=5, written={"changed": 1, "left": 2}, committed_at=pages.MOMENT
    )
    for number in (2, 3, 4):
        made.row(imported, number, "changed")
    made.row(imported, 5, "error")
    made.change(imported, 3, factories.opportunity())
    for number in (2, 4):
        made.problem(imported, number, level="conflict", position=None, column="", value="", rule="was changed since.")
    made.count(imported)
    for page in (reverse("mobjects:import", args=[imported.pk]), reverse("admin:mobjects_import_changelist")):
        address = links(browser.get(page))["2 left out"]
        assert rows_behind(browser, imported, address) == [2, 4]
    shown = pages.words(browser.get(address))
    assert "Only rows that were left out when the others were written." in shown
    assert shown.count("was changed since.") == 2


def test_what_is_not_written_yet_is_not_left_out(browser):
    imported = made.imported(mode="valid", committed_to=2, written={"left": 1})
    for number in (2, 3):
        made.row(imported, number, "changed")
    made.count(imported)
    address = reverse("mobjects:import-review", args=[imported.pk]) + "?left=1"
    assert rows_behind(browser, imported, address) == [2]


def test_what_an_undo_did_leads_to_its_rows(browser):
    imported = made.imported(state="undone", undone={"restored": 1, "removed": 1, "left": 1}, undone_at=pages.MOMENT)
    for number, undone in ((2, "restored"), (3, "removed"), (4, "left"), (5, "")):
        made.row(imported, number, "changed")
        made.change(imported, number, factories.opportunity(name=f"O{number}"), undone=undone)
    made.count(imported)
    found = links(browser.get(reverse("mobjects:import", args=[imported.pk])))
    for words, number in (("1 restored", 2), ("1 removed", 3), ("1 left alone", 4)):
        assert rows_behind(browser, imported, found[words]) == [number]


def test_equal_errors_and_warnings_lead_to_all_of_their_rows(browser):
    imported = made.imported()
    for number in range(2, 6):
        made.row(imported, number, "error" if number < 5 else "new")
    for number in (2, 4):
        made.problem(imported, number)
    made.problem(imported, 3, value="many", rule="“many” is not a number.")
    error = made.group(imported, count=2)
    doubt = {"level": "warning", "position": None, "column": "", "value": "", "rule": "Is this meant?"}
    for number in (4, 5):
        made.problem(imported, number, **doubt)
    warning = made.group(imported, **doubt, count=2, first=4)
    review = browser.get(reverse("mobjects:import-review", args=[made.count(imported).pk]))
    page = pages.tree(review)
    address = page.xpath("//a[@aria-label='2 rows, the first of them row 2']/@href")[0]
    assert address == f"?group={error.pk}#rows"
    assert links(review)["2 rows, the first of them row 4"] == f"?group={warning.pk}#rows"
    above = reverse("mobjects:import-review", args=[imported.pk])
    assert rows_behind(browser, imported, above + address) == [2, 4]
    assert rows_behind(browser, imported, f"{above}?group={warning.pk}#rows") == [4, 5]
    assert "Only rows of which is said: “much” is not a number." in pages.words(browser.get(above + address))
    assert browser.get(f"{above}?group=999999").context["tab"] == "error"


def test_rows_of_a_group_that_were_left_out_of_the_check_are_listed_too(browser):
    imported = made.imported()
    made.row(imported, 2, "new")
    total = {"level": "warning", "position": None, "column": "", "value": "", "rule": "looks like a total."}
    for number in (3, 4):
        made.problem(imported, number, **total)
    group = made.group(imported, **total, count=2, first=3)
    above = reverse("mobjects:import-review", args=[made.count(imported).pk])
    assert rows_behind(browser, imported, f"{above}?group={group.pk}") == [3, 4]
    shown = pages.words(browser.get(f"{above}?row=3"))
    assert "Row 3: left out" in shown
    assert "looks like a total." in shown


@pytest.mark.django_db(transaction=True)
def test_each_count_of_the_queue_leads_to_what_it_counts(browser, queue):
    job, imported = pages.job(state=SyncJobState.QUEUED), made.imported()
    names = [f"{job.pk}-1", f"import-{imported.pk}-2", "deletion-7-3", "tick-outside-4", "of-another-program"]
    for name in names:
        queue.enqueue("mobjects.processes.scheduler.tick", job_id=name)
    worker = Worker([queue], connection=queue.connection, serializer=queue.serializer)
    worker.register_birth()
    prepare_execution(worker, queue.fetch_job(names[1]))
    queue.remove(names[1])
    queue.failed_job_registry.add(queue.fetch_job(names[2]))
    queue.remove(names[2])
    page, counts = browser.get(reverse("mobjects:queue")), {"waiting": 3, "running": 1, "failed": 1}
    found = {a.get("aria-label"): a.get("href") for a in pages.tree(page).xpath("//dl//a")}
    assert found == {f"{count} {which}": f"?list={which}#work" for which, count in counts.items()}

    def work(which):
        return links_of_work(browser.get(reverse("mobjects:queue") + f"?list={which}"))

    assert work("waiting") == [
        (job_title(job), pages.job_url(job)),
        ("a look at lost jobs and schedules", None),
        ("a look at lost jobs and schedules", None),
    ]
    assert work("running") == [(f"Import {imported.pk}", reverse("mobjects:import", args=[imported.pk]))]
    assert work("failed") == [("Deletion 7", reverse("mobjects:deletion", args=[7]))]
    assert work("nonsense") == []


def links_of_work(response) -> list[tuple[str, str | None]]:
    """What is listed of the queue, with the address that it leads to."""
    cells = pages.tree(response).xpath("//*[@id='work']//tbody/tr/th")
    return [
        (" ".join(cell.text_content().split()), next((a.get("href") for a in cell.xpath(".//a")), None))
        for cell in cells
    ]


def test_a_count_of_nothing_in_the_queue_is_no_link(browser, queue):
    assert pages.tree(browser.get(reverse("mobjects:queue"))).xpath("//dl//a") == []


def test_a_long_list_of_the_queue_has_pages(browser, queue):
    for number in range(51):
        queue.enqueue("mobjects.processes.scheduler.tick", job_id=f"deletion-{number}-x")
    address = reverse("mobjects:queue") + "?list=waiting&page=2"
    assert links_of_work(browser.get(address)) == [("Deletion 50", reverse("mobjects:deletion", args=[50]))]
