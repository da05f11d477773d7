"""How many statements the pages take in which people live."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests import factories
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("groups", "queue", "marketo_settings")]


def test_what_is_left_of_a_job_is_counted_once_for_its_page():
    job = pages.job(counts={"FAILED": 2})
    for record in (factories.opportunity(), factories.opportunity()):
        pages.result(job, status="FAILED", record_id=record.pk, revision=record.revision)
    with CaptureQueriesContext(connection) as caught:
        page = pages.client().get(pages.job_url(job))
    counts = [query["sql"] for query in caught.captured_queries if "COUNT(*) FROM (SELECT DISTINCT" in query["sql"]]
    assert "Retry 2 records not accepted" in pages.words(page)
    assert len(counts) == 1
