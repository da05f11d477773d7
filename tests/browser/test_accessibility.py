"""Every page: WCAG 2.2 A and AA by axe, light and dark, and no sideways scrolling at 1280 or 390 pixels."""

from __future__ import annotations

import pytest
from axe_core_python.sync_playwright import Axe

from mobjects.models import Opportunity, OpportunityPersonRole, Program, SyncBatch, SyncJob, SyncResult
from tests import factories

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("marketo_settings", "groups", "redis_url"),
]

WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}

PAGES = {
    "dashboard": lambda: "/admin/",
    "programs": lambda: "/admin/mobjects/program/",
    "program": lambda: f"/admin/mobjects/program/{Program.objects.first().pk}/change/",
    "costs": lambda: "/admin/mobjects/programcost/",
    "tags": lambda: "/admin/mobjects/programtag/",
    "opportunities": lambda: "/admin/mobjects/opportunity/",
    "opportunity": lambda: f"/admin/mobjects/opportunity/{Opportunity.objects.first().pk}/change/",
    "roles": lambda: "/admin/mobjects/opportunitypersonrole/",
    "role": lambda: f"/admin/mobjects/opportunitypersonrole/{OpportunityPersonRole.objects.first().pk}/change/",
    "import": lambda: "/admin/imports/new/?kind=opportunities",
    "export": lambda: "/admin/export/opportunities/",
    "import history": lambda: "/admin/mobjects/import/",
    "downloads": lambda: "/admin/mobjects/download/",
    "confirm": lambda: "/admin/sync/?kind=all",
    "history": lambda: "/admin/mobjects/syncjob/",
    "job": lambda: f"/admin/mobjects/syncjob/{SyncJob.objects.first().pk}/change/",
    "results": lambda: "/admin/mobjects/syncresult/",
    "record in a job": lambda: f"/admin/sync-results/{SyncResult.objects.filter(status='FAILED').first().pk}/",
    "batch": lambda: f"/admin/mobjects/syncbatch/{SyncBatch.objects.first().pk}/change/",
    "record history": lambda: f"/admin/sync-history/Opportunity/{Opportunity.objects.first().pk}/",
    "fields": lambda: "/admin/mobjects/marketofield/",
    "known tags": lambda: "/admin/mobjects/allowedtag/",
    "connection": lambda: "/admin/connection/",
    "queue": lambda: "/admin/queue/",
    "what waits": lambda: "/admin/queue/?list=waiting",
}


@pytest.fixture
def history(sandbox):
    """Records in several states, and a job with accepted, failed and held back results."""
    program = factories.program()
    factories.cost(program)
    factories.tag(program)
    failing = factories.opportunity(name="Refused by Marketo")
    factories.role(failing)
    factories.role(factories.opportunity(name="Taken by Marketo"), role="Champion")
    sandbox.faults.add("bad_row", row=0, text="Stage: refused", operation="syncMObjects", times=2)
    factories.sync()
    Opportunity.objects.filter(name="Taken by Marketo").update(stage="Won")


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize("name", PAGES)
def test_page_is_accessible_and_fits(open_page, name):
    page = open_page(PAGES[name]())
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    page.reload()
    assert page.evaluate("document.documentElement.classList.contains('dark')")
    assert violations(page) == []
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def violations(page) -> list[str]:
    page.wait_for_load_state()
    found = Axe().run(page, options=WCAG)["violations"]
    return [f"{rule['id']}: {node['html'][:160]}" for rule in found for node in rule["nodes"]]
