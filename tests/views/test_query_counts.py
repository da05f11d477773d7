"""How many statements the pages take: at most twelve each, whatever there is to show; and no script within them."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mobjects.sync.rate_limits.limiter import RedisRateLimiter
from mobjects.sync.transport_factory import target
from tests import factories
from tests.support.refused_parts import find_refused_parts
from tests.support.site_pages import FURTHER_PAGES, PAGES, fill_site
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("groups", "queue", "marketo_settings")]
MOST = 12
STATUS = {"not allowed": 403, "missing": 404}


def queries_of(browser, name, address) -> list[str]:
    # What a process reads once is not counted.
    assert find_refused_parts(browser.get(address)) == [], f"{address}: the browser would refuse this"
    with CaptureQueriesContext(connection) as caught:
        answer = browser.get(address)
    assert answer.status_code == STATUS.get(name, 200), address
    found = [query["sql"] for query in caught.captured_queries]
    return [sql for sql in found if not sql.startswith(("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT"))]


def test_no_page_takes_more_than_twelve_statements():
    """One database for all of them: filling it takes longer than the pages do."""
    fill_site()
    with RedisRateLimiter.from_settings(target()).permit_call():
        pass  # From now on Redis knows how much is used.
    browser = pages.client()
    User.objects.get().user_permissions.add(factories.permission("view_auditevent"))
    found = {name: queries_of(browser, name, address()) for name, address in {**PAGES, **FURTHER_PAGES}.items()}
    over = {name: len(sql) for name, sql in found.items() if len(sql) > MOST}
    assert over == {}, "\n".join(f"{name}:\n" + "\n".join(sql[:300] for sql in found[name]) for name in over)


def test_what_is_left_of_a_job_is_counted_once_for_its_page():
    job = pages.job(counts={"FAILED": 2})
    for record in (factories.opportunity(), factories.opportunity()):
        pages.result(job, status="FAILED", record_id=record.pk, revision=record.revision)
    with CaptureQueriesContext(connection) as caught:
        page = pages.client().get(pages.job_url(job))
    counts = [query["sql"] for query in caught.captured_queries if "COUNT(*) FROM (SELECT DISTINCT" in query["sql"]]
    assert "Retry 2 records not accepted" in pages.words(page)
    assert len(counts) == 1
