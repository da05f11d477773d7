"""A host that sends nothing because of its clock is spoken of where people look."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from mobjects.jobs.host_clock import FORGOTTEN_AFTER
from mobjects.models import HostClock
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("groups", "redis_url")]
SAID = (
    "The clock of the host worker-2 is 4 min 3 s behind the database&#x27;s. "
    "Nothing is sent from there until it is within 60 s: set its clock right."
)


@pytest.mark.parametrize("address", ["/admin/", "/admin/connection/"])
def test_a_host_whose_clock_is_off_is_named_with_the_figure(address):
    HostClock.objects.create(host="worker-2", offset_seconds=-243.2, measured_at=timezone.now())
    assert SAID in pages.text(pages.client().get(address))


@pytest.mark.parametrize("address", ["/admin/", "/admin/connection/"])
def test_a_host_that_runs_no_worker_any_more_is_not(address):
    long_ago = timezone.now() - FORGOTTEN_AFTER - timedelta(seconds=1)
    HostClock.objects.create(host="worker-2", offset_seconds=-243.2, measured_at=long_ago)
    assert "worker-2" not in pages.text(pages.client().get(address))
