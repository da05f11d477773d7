"""One id from a click to what Marketo answered; lines of the log that machines read; no secret in any."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Iterator

import pytest
from django.conf import settings as site_settings
from django.test import Client, RequestFactory

from marketo_admin.log_format import MASK, JsonFormatter, LineFormatter
from mobjects.audit.trace import choose_request_id, current_request_id, traced
from mobjects.jobs.requests import create_sync_job
from mobjects.marketo.types import Kind
from mobjects.models import SyncJob, SyncJobState
from mobjects.sync.send.selection import SyncSelection
from tests import factories
from tests.views import pages

GIVEN = "balancer-0123456789"
SECRET = "a-key-that-nobody-may-see"


class Kept(logging.Handler):
    """Keeps lines as the formatter makes them."""

    def __init__(self) -> None:
        super().__init__()
        self.formatter = JsonFormatter([SECRET])
        self.lines: list[dict] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(json.loads(self.format(record)))


@pytest.fixture
def log() -> Iterator[list]:
    kept, root = Kept(), logging.getLogger()
    root.addHandler(kept)
    yield kept.lines
    root.removeHandler(kept)


def record(message, *args, **values):
    made = logging.LogRecord("a.logger", logging.WARNING, "", 0, message, args, values.pop("exc_info", None))
    vars(made).update(values)
    return made


@pytest.mark.django_db(transaction=True)
def test_a_click_can_be_followed_to_the_answer_of_marketo(groups, sandbox, marketo_settings, work, log):
    deal = factories.opportunity()
    form = {"kind": "Opportunity", "ids": str(deal.pk), "token": str(uuid.uuid4()), "operation": "AUTO", "send": "1"}
    browser = pages.client()
    answer = browser.post("/admin/sync/", form, headers={"X-Request-ID": GIVEN})
    assert (answer.status_code, answer["X-Request-ID"]) == (302, GIVEN)
    job = SyncJob.objects.get()
    work()
    job.refresh_from_db()
    assert (job.state, job.request_id) == (SyncJobState.SUCCEEDED, GIVEN)
    ours = [line for line in log if line.get("request_id") == GIVEN]
    (click,) = [line for line in ours if line["logger"] == "marketo_admin.request_log"]
    (call,) = [line for line in ours if line["logger"] == "mobjects.sync.task"]
    assert (click["method"], click["path"], click["status"]) == ("POST", "/admin/sync/", 302)
    assert (call["job"], call["batch"], call["http_status"], call["state"]) == (str(job.pk), 1, 200, "answered")
    assert call["seconds"] >= 0
    assert GIVEN in pages.text(browser.get(pages.job_url(job)))


@pytest.mark.django_db
def test_what_nobody_clicked_has_an_id_of_its_own():
    first, second = (create_sync_job(SyncSelection((Kind.OPPORTUNITY,))) for _ in range(2))
    assert len({first.request_id, second.request_id, ""}) == 3


@pytest.mark.parametrize(
    "given", ["", "short", "x" * 65, "two words", "line\nbreak-0123", "<script>alert(1)", "ünicode-ünicode"]
)
def test_what_is_no_id_is_not_taken_over(given):
    made = choose_request_id(given)
    assert made != given
    assert choose_request_id(made) == made


@pytest.mark.django_db
def test_each_answer_tells_its_id_and_pages_that_are_read_are_not_logged(groups, log):
    browser = pages.client()
    first, second = browser.get("/admin/"), browser.get("/admin/", headers={"X-Request-ID": "no\nid"})
    assert first["X-Request-ID"] != second["X-Request-ID"]
    assert not [line for line in log if line["logger"] == "marketo_admin.request_log"]
    Client().post("/admin/login/%0Aforged?token=secret", {})
    (line,) = [line for line in log if line["logger"] == "marketo_admin.request_log"]
    assert line["path"] == "/admin/login/%0Aforged"
    assert "token" not in json.dumps(line)


def test_ids_do_not_outlive_what_they_belong_to():
    with traced(request_id=GIVEN):
        assert current_request_id() == GIVEN
        with traced(job="7"):
            assert LineFormatter().format(record("Said %s.", "so")).endswith(f"Said so. request_id={GIVEN} job=7")
    assert current_request_id() != GIVEN
    assert LineFormatter().format(record("Said so.")).endswith("Said so.")


def test_a_line_is_one_object_whatever_is_in_it():
    try:
        raise ValueError(f"two\nlines with {SECRET}")
    except ValueError as error:
        exc_info = (type(error), error, error.__traceback__)
    said = JsonFormatter([SECRET]).format(record("It\nbroke: %s", SECRET, exc_info=exc_info, where=SECRET, count=3))
    assert "\n" not in said
    line = json.loads(said)
    assert (line["level"], line["logger"], line["error"], line["count"]) == ("WARNING", "a.logger", "ValueError", 3)
    assert line["message"] == f"It\nbroke: {MASK}"
    assert line["where"] == MASK
    assert SECRET not in said
    assert "two\\nlines" in said


def test_objects_that_were_given_are_left_out():
    """Django gives the request to what it logs, whose words hold the query."""
    said = JsonFormatter().format(record("Not found", request=RequestFactory().get("/a?token=1"), status_code=404))
    assert (json.loads(said)["status_code"], "token" in said, "request" in json.loads(said)) == (404, False, False)


def test_secrets_are_masked_in_lines_for_people_and_ordinary_words_are_not():
    said = LineFormatter([SECRET, "demo", ""]).format(record("The demo has %s in it.", SECRET))
    assert said.endswith(f"The demo has {MASK} in it.")


def test_the_site_masks_what_it_knows_to_be_secret():
    masked = site_settings.LOGGING["formatters"]["line"]["secrets"]
    assert {site_settings.SECRET_KEY} <= set(masked)
