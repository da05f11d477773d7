"""A file that breaks off never looks whole, whatever the proxy in front speaks."""

from __future__ import annotations

import tracemalloc

import pytest
from django.urls import reverse

from mobjects.exports.formats import BY_EXTENSION
from mobjects.models import CustomField, Download, Opportunity, Program
from tests import factories
from tests.views import pages
from tests.views.imports import made_imports as made

pytestmark = pytest.mark.django_db

OPPORTUNITIES = reverse("mobjects:export", args=["opportunities"])
OLD = {"SERVER_PROTOCOL": "HTTP/1.0"}
"""What a request of such a proxy says: the end of the connection is the end of the answer."""


@pytest.fixture
def viewer(groups):
    return pages.client("viewer")


@pytest.fixture
def broken(db):
    """Records of which the last one cannot be written."""
    CustomField.objects.create(name="Region")
    Opportunity.objects.bulk_create(
        Opportunity(name=f"Deal {number}", external_id=str(number)) for number in range(3000)
    )
    last = Opportunity.objects.order_by("pk").last()
    assert last is not None
    Opportunity.objects.filter(pk=last.pk).update(custom_attributes=[])


def export(browser, extension="csv", columns=("Name",), **protocol):
    return browser.post(OPPORTUNITIES, {"format": extension, "columns": columns}, **protocol)


@pytest.mark.parametrize("extension", BY_EXTENSION)
def test_to_http_1_0_a_file_that_cannot_be_finished_is_an_error_page(viewer, broken, extension):
    viewer.raise_request_exception = False
    answer = export(viewer, extension, ("Region",), **OLD)
    assert (answer.status_code, answer.get("Content-Disposition")) == (500, None)
    download = Download.objects.get()
    assert (download.rows, download.finished_at is None) == (None, False)


def test_to_http_1_1_such_a_file_ends_without_its_end(viewer, broken):
    answer = export(viewer, columns=("Region",))
    assert (answer.status_code, answer.get("Content-Length")) == (200, None)
    with pytest.raises(AttributeError):
        answer.getvalue()


@pytest.mark.parametrize("extension", BY_EXTENSION)
def test_to_http_1_0_a_file_says_its_length(viewer, extension):
    for number in range(3):
        factories.opportunity(name=f"Deal {number}")
    answer = export(viewer, extension, **OLD)
    data = answer.getvalue()
    assert answer["Content-Length"] == str(len(data))
    assert answer["Content-Type"] == BY_EXTENSION[extension].content_type
    assert answer["Content-Disposition"].startswith('attachment; filename="opportunities-2')
    assert Download.objects.get().rows == 3
    if extension != "xlsx":  # A workbook holds the moment when it was made.
        assert data == export(viewer, extension).getvalue()


def test_to_http_1_0_an_error_file_says_its_length(viewer):
    imported = made.imported()
    data = b"External ID,Name,Amount\r\nA,One,much\r\n"
    imported.parts.create(number=0, data=data)
    imported.size = len(data)
    made.row(imported, 2, "error")
    made.problem(imported, 2)
    made.count(imported)
    answer = viewer.get(reverse("mobjects:import-errors", args=[imported.pk]), **OLD)
    assert answer["Content-Length"] == str(len(answer.getvalue()))


def test_memory_does_not_grow_with_a_file_whose_length_is_told(viewer):
    def peak(count):
        Program.objects.all().delete()
        Program.objects.bulk_create(Program(marketo_id=number, name="x" * 200) for number in range(1, count + 1))
        address = reverse("mobjects:export", args=["programs"])
        tracemalloc.start()
        try:
            answer = viewer.post(address, {"format": "csv", "columns": ["Name"]}, **OLD)
            assert sum(map(len, answer)) == int(answer["Content-Length"])
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(100)  # What is loaded once.
    assert peak(8_000) < peak(2_000) * 1.2 + 200_000
