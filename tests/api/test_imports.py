"""An import through the API, from the file to the rows that could not be written."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from mobjects.jobs.approvals import service
from mobjects.models import Approval, AuditEvent, EventKind, Import, ImportSource, Opportunity
from tests import factories
from tests.api.clients import ApiClient, program_of, token
from tests.support.approvals import make_rule

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("groups")]

FILE = b"External ID,Name,Amount\nE-1,Deal,5\nE-2,Other,much\n"


def upload(api, data: bytes = FILE, name: str = "deals.csv", **given):
    sent = {"file": SimpleUploadedFile(name, data), **given}
    return api.client.post("/api/v1/imports", sent, headers=api.headers)


def test_a_file_is_checked_written_and_what_failed_comes_back(queue, work):
    api = program_of("operator")
    answer = upload(api, kind="opportunities", reason="nightly")
    assert answer.status_code == 201, answer.content
    one = f"imports/{answer.json()['id']}"
    work()
    checked = api.get(one).json()
    assert (checked["state"], checked["counts"]["new"], checked["counts"]["error"]) == ("review", 1, 1)
    (problem,) = api.get(f"{one}/problems").json()["items"]
    assert (problem["column"], problem["value"]) == ("Amount", "much")
    assert api.post(f"{one}/write", {"checked": "before", "mode": "valid"}).status_code == 409
    assert api.post(f"{one}/write", {"checked": checked["checked"], "mode": "all"}).status_code == 409
    assert api.post(f"{one}/write", {"checked": checked["checked"], "mode": "valid"}).status_code == 200
    work()
    assert api.get(one).json()["written"]["created"] == 1
    assert Opportunity.objects.get().external_id == "E-1"
    errors = api.get(f"{one}/errors")
    assert b"much" in b"".join(errors.streaming_content)
    made = Import.objects.get()
    assert (made.source, made.username, made.committed_by) == (ImportSource.API, "anna", "anna")
    assert made.by_token.startswith("nightly (")
    assert [each["id"] for each in api.get("opportunities", of_import=made.pk).json()["items"]] != []
    assert api.post(f"{one}/undo").status_code == 200
    work()
    assert not Opportunity.objects.exists()


def test_columns_are_said_where_headers_do_not_tell(queue):
    api = program_of("operator")
    made = upload(api, b"Key,Title\nE-1,Deal\n", kind="opportunities").json()
    assert made["state"] == "mapping"
    one = f"imports/{made['id']}"
    shown = api.get(f"{one}/columns").json()
    assert (shown["headers"], shown["mapping"]) == (["Key", "Title"], [None, None])
    refused = api.send("put", f"{one}/columns", {"mapping": ["External ID", "Nonsense"]})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/mapping/1"
    assert api.post(f"{one}/check").status_code == 409
    assert api.send("put", f"{one}/columns", {"mapping": ["External ID", "Name"]}).json()["open_questions"] == []
    assert api.post(f"{one}/check").json()["state"] == "checking"
    assert api.post(f"{one}/discard").json()["state"] == "discarded"


def test_rights_are_those_of_the_pages(queue):
    assert upload(program_of("viewer", name="vera")).status_code == 403
    refused = upload(program_of("editor", name="eve", scopes=["read"]))
    assert "view_import" in refused.json()["detail"]
    assert upload(program_of("operator"), kind="letters").json()["errors"][0]["pointer"] == "/kind"
    assert not Import.objects.exists()


def test_a_file_is_read_only_from_who_may_send_one(queue):
    factories.opportunity()
    large = b"External ID,Name\n" + b"E-1,Deal\n" * 600_000
    assert upload(program_of("viewer", name="vera"), large).status_code == 403
    api = program_of("operator")
    answer = api.client.post("/api/v1/roles", {"file": SimpleUploadedFile("x.csv", large)}, headers=api.headers)
    assert answer.status_code == 413


def test_what_a_rule_holds_is_not_said_to_have_begun(queue, work):
    api = program_of("operator")
    one = f"imports/{upload(api, kind='opportunities').json()['id']}"
    work()
    rule = make_rule(work="import")
    ask = {"checked": api.get(one).json()["checked"], "mode": "valid"}
    assert api.post(f"{one}/write", ask).json()["state"] == "held"
    service.refuse(Approval.objects.get(), factories.user("bob", group="operator"), "Not now.")
    assert not AuditEvent.objects.filter(kind=EventKind.CHANGED, model="import").exists()
    rule.delete()
    assert api.post(f"{one}/write", ask).json()["state"] == "committing"
    work()
    make_rule(work="import")
    assert api.post(f"{one}/undo").json()["state"] == "held"
    said = AuditEvent.objects.filter(kind=EventKind.CHANGED, model="import")
    assert [event.detail["what"] for event in said] == ["write"]


def test_an_undo_takes_the_right_to_see_what_is_taken_back(queue, work):
    api = program_of("operator")
    one = f"imports/{upload(api, kind='opportunities').json()['id']}"
    work()
    api.post(f"{one}/write", {"checked": api.get(one).json()["checked"], "mode": "valid"})
    work()
    user = factories.user("blind")
    user.user_permissions.set(map(factories.permission, ("view_import", "import_opportunity")))
    answer = ApiClient(token(user)[1]).post(f"{one}/undo")
    assert (answer.status_code, Opportunity.objects.count()) == (403, 1)
