"""Finding the results of a job."""

from __future__ import annotations

import pytest
from django.db import connection

from mobjects.marketo.types import Kind
from mobjects.models import Opportunity
from mobjects.sync.job_results import has_end
from tests import factories
from tests.views import pages

pytestmark = pytest.mark.django_db


def test_results_of_a_record_are_found_by_the_record_not_by_reading_all_of_the_job():
    job = pages.job()
    done, left = factories.opportunity(name="Done"), factories.opportunity(name="Left")
    pages.result(job, record_id=done.pk, status="FAILED")
    pages.result(pages.job(), record_id=left.pk)
    assert list(Opportunity.objects.exclude(has_end(job, Kind.OPPORTUNITY))) == [left]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # Of two rows it would read all, whatever there is.
    plan = Opportunity.objects.annotate(ended=has_end(job, Kind.OPPORTUNITY)).explain()
    assert "result_record_newest" in plan
    assert "result_job_status" not in plan
    assert "syncresult_job_id" not in plan
