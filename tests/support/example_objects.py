"""One object for each address, so that every page can be asked for by whoever may see it, and by whoever may not."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group

from mobjects.accounts.tokens import make_token
from mobjects.models import (
    AllowedTag,
    BulkDeletion,
    BulkEdit,
    Conflict,
    CustomField,
    Download,
    MarketoField,
    NoticeDelivery,
    NoticeWebhook,
    SavedView,
    Schedule,
    SyncJobAction,
    SyncJobState,
)
from tests import factories
from tests.support.approvals import make_rule, waiting_approval
from tests.views import pages
from tests.views.imports.made_imports import imported

OWNER = "owner"
"""Who made what has an owner."""


def make_examples() -> dict[str, str]:
    """Make one of each model; the number or id of each, by the name of its model."""
    owner = factories.user(OWNER)
    program, job = factories.program(), pages.job()
    opportunity = factories.opportunity()
    deletion = BulkDeletion.objects.create(model="opportunity", username=OWNER)
    edited = BulkEdit.objects.create(model="opportunity", username=OWNER)
    hook = NoticeWebhook.objects.create(name="Chat", host="chat.example.com")
    made: list[Any] = [
        *(program, factories.cost(program), factories.tag(program), opportunity, factories.role(opportunity)),
        *(job, pages.batch(job), pages.result(job, status="FAILED"), deletion, edited, imported(), owner),
        Conflict.objects.create(kind="Opportunity", record_id=opportunity.pk, label="x", reason="ambiguous"),
        Schedule.objects.create(name="Daily", action=SyncJobAction.SEND, cron="0 6 * * *", time_zone="UTC"),
        CustomField.objects.create(name="Colour__c"),
        MarketoField.objects.create(kind="Opportunity", name="Colour__c", type="string", described_at=pages.MOMENT),
        AllowedTag.objects.create(type="Region", value="EMEA", described_at=pages.MOMENT),
        Download.objects.create(username=OWNER, kind="opportunities", format="csv"),
        SavedView.objects.create(name="Mine", page="results", user=owner, username=OWNER, query=""),
        make_rule(enabled=False),
        waiting_approval(pages.job(state=SyncJobState.HELD), username=OWNER),
        Group.objects.create(name="some"),
        hook,
        NoticeDelivery.objects.create(channel="webhook", webhook=hook, state="sent"),
        make_token(owner, "nightly", 30, by=owner)[0],
    ]
    return {each._meta.model_name: str(each.pk) for each in made}


def arguments(name: str, converters: dict[str, object], made: dict[str, str]) -> dict[str, str]:
    """What stands in an address: the example that it is about, and one of the values that it knows.

    Args:
        name: of the address.
        converters: what may stand in it, by name.
        made: of :func:`make_examples`.
    """
    page = name.rpartition(":")[2]
    number = next((made[model] for begins, model in MODELS.items() if page.startswith(begins)), "1")
    given = {"pk": number, "object_id": number, "id": number, "app_label": "mobjects", **VALUES, **OTHERS.get(page, {})}
    return {each: given.get(each, "1") for each in converters}


VALUES = {
    "model_name": "opportunity",
    "kind": "opportunities",
    "extension": "csv",
    "page": "results",
    "part": "request",
    "which": "deleted",
    "entry": "edit-1",
    "content_type_id": "1",
}
OTHERS = {"record-history": {"kind": "Opportunity"}, "record-restore": {"kind": "Opportunity"}}
MODELS = {
    "job": "syncjob",
    "send-": "syncjob",
    "undo-sending": "syncjob",
    "results-retry": "syncjob",
    "result": "syncresult",
    "view-delete": "savedview",
    "api-token": "apitoken",
    "batch": "syncbatch",
    "record-": "opportunity",
    "conflict": "conflict",
    "import": "import",
    "deletion": "bulkdeletion",
    "bulk-edit": "bulkedit",
    "approval": "approval",
    "webhook": "noticewebhook",
    "delivery-": "noticedelivery",
    **{
        f"{app}_{model}_": model
        for app, models in {
            "mobjects": (
                *(
                    "syncjob",
                    "syncbatch",
                    "syncresult",
                    "conflict",
                    "bulkdeletion",
                    "bulkedit",
                    "import",
                    "download",
                    "schedule",
                    "approvalrule",
                    "approval",
                ),
                *("allowedtag", "customfield", "marketofield", "opportunity", "opportunitypersonrole"),
                *("program", "programcost", "programtag"),
            ),
            "auth": ("user", "group"),
        }.items()
        for model in models
    },
}
"""Which model an address is about, by how its name begins; the first that fits."""
