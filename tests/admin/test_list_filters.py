"""The filters of the lists stay small however many values there are."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from mobjects.models import AllowedTag, Download, Import, ProgramTag, SyncJob
from tests import factories
from tests.support.rewriting import rewrite
from tests.views import pages

pytestmark = pytest.mark.django_db
PEOPLE = 2000


@pytest.fixture
def browser(groups):
    return pages.client()


def fill(model):
    names = [f"person-{number:05}" for number in range(PEOPLE)]
    if model is SyncJob:
        SyncJob.objects.bulk_create(SyncJob(kind="Program", username=name) for name in names)
    elif model is Import:
        Import.objects.bulk_create(Import(kind="programs", username=name, file_name="x.csv", size=1) for name in names)
    elif model is Download:
        Download.objects.bulk_create(
            Download(what="records", kind="programs", format="csv", username=name) for name in names
        )
    elif model is ProgramTag:
        program = factories.program()
        ProgramTag.objects.bulk_create(ProgramTag(program=program, type=name, value="x") for name in names)
    else:
        AllowedTag.objects.bulk_create(AllowedTag(type=name, value="x", described_at=pages.MOMENT) for name in names)


@pytest.mark.parametrize("model", [SyncJob, Import, Download, ProgramTag, AllowedTag])
def test_a_page_does_not_grow_with_the_values_of_a_filter(browser, model):
    fill(model)
    address = reverse(f"admin:mobjects_{model._meta.model_name}_changelist")
    with CaptureQueriesContext(connection) as queries:
        page = browser.get(address)
    assert len(page.content) < 400_000
    assert len(queries) < 20
    name = "type" if model in (ProgramTag, AllowedTag) else "username"
    old = browser.get(address, {name: "person-00000"})
    assert old.context["cl"].result_count == 1
    [chosen] = [
        choice["display"]
        for spec in old.context["cl"].filter_specs
        for choice in spec.choices(old.context["cl"])
        if choice["selected"] and choice["display"] not in ("All", "Any date")
    ]
    assert chosen == "person-00000"


def test_the_newest_people_can_be_chosen_and_the_list_says_how_to_find_others(browser):
    fill(SyncJob)
    pages.job(username="zoe")
    page = browser.get(reverse("admin:mobjects_syncjob_changelist"))
    spec = next(spec for spec in page.context["cl"].filter_specs if getattr(spec, "parameter_name", "") == "username")
    choices = [choice["display"] for choice in spec.choices(page.context["cl"])]
    assert choices[:2] == ["All", "zoe"]
    assert len(choices) == 51
    assert spec.title == "user (the newest 50; search for others)"


def test_jobs_are_narrowed_to_days_and_the_rest_of_the_address_stays(browser):
    for day in (1, 2, 3):
        rewrite(pages.job(reason=f"of day {day}"), created_at=pages.MOMENT + timedelta(days=day))
    address = reverse("admin:mobjects_syncjob_changelist")

    def listed(query):
        return [job.reason for job in browser.get(address + query).context["cl"].result_list]

    assert listed("?since=2026-03-03") == ["of day 3", "of day 2"]
    assert listed("?since=2026-03-03&until=2026-03-03") == ["of day 2"]
    assert listed("?until=2026-03-02&state=succeeded") == ["of day 1"]
    assert listed("?since=nonsense&until=2026-02-30") == ["of day 3", "of day 2", "of day 1"]
    form = pages.tree(browser.get(f"{address}?state=succeeded&since=2026-03-03")).xpath("//form[.//*[@name='since']]")[
        0
    ]
    assert form.xpath(".//input[@name='state']/@value") == ["succeeded"]
    assert form.xpath(".//input[@name='since']/@value") == ["2026-03-03"]
