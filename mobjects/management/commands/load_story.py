"""``manage.py load_story``: what a team leaves behind on an ordinary day, made by the same code that pages use.

After the demo's first sync: fields and tags are read, a colleague changes three opportunities in Marketo itself, a sync
meets two kinds of mistakes, a comparison finds the colleague's changes, a pull finds that one of them was changed here
too, an answer gets lost and is looked up later, an import waits for corrections, and a few edits are not sent yet.
"""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from argparse import ArgumentParser
from functools import cached_property
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from mobjects.db.edit_context import edit
from mobjects.imports import runner, service
from mobjects.jobs.requests import create_job, create_sync_job
from mobjects.jobs.runner import run_job
from mobjects.jobs.schedules import plan_schedule
from mobjects.local.ports import HOST
from mobjects.marketo.types import Kind
from mobjects.models import (
    EditSource,
    ImportSource,
    Opportunity,
    OpportunityPersonRole,
    Program,
    Schedule,
    SyncJobAction,
)
from mobjects.sandbox import CLIENT_ID, CLIENT_SECRET
from mobjects.sync.compare.task import CompareSelection
from mobjects.sync.pull.task import PullSelection
from mobjects.sync.send.selection import SyncSelection
from mobjects.sync.transport_factory import endpoint_is_local

CHANGED_IN_MARKETO: dict[str, dict[str, Any]] = {
    "OPP-0012": {"stage": "Negotiation", "probability": 80},
    "OPP-0023": {"closeDate": "2026-12-18"},
    "OPP-0034": {"nextStep": "Contract signed"},
}
ON_BOTH_SIDES = "OPP-0012"
MISSPELT_COMPANIES = {"OPP-0061": "C-0I50", "OPP-0062": "C-O057", "OPP-0063": "C-00O4", "OPP-0064": "C-OO11"}
NOT_IN_MARKETO = (9001, 9002, 9003)
"""Persons that no Marketo has, for the second kind of mistake."""
WITHOUT_ANSWER = "OPP-0015"
UNSENT = {"OPP-0018": {"stage": "Proposal"}, "OPP-0019": {"amount": "27500.00"}, "OPP-0020": {"next_step": "Demo"}}
NOTHING_COMES_BACK = (
    {"kind": "cut_after", "operation": "syncMObjects"},
    {"kind": "cut_after", "path": "POST /rest/v1/opportunities.json"},
)


class Command(BaseCommand):
    """Give the demo's database the history of an ordinary day. Part of ``manage.py demo``; run once."""

    help = "Give the demo's database the history of an ordinary day: failures, a conflict, an import that waits."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--sandbox-port", type=int, required=True, help="where the local Marketo listens")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the history, unless a Marketo other than the local one is configured."""
        if not endpoint_is_local():
            raise CommandError("load_story changes records in Marketo, so it works only with one on this machine.")
        self.marketo = f"http://{HOST}:{options['sandbox_port']}"
        self._read_tags()
        self._add_schedule()
        self._send_mistakes()
        self._change_in_marketo()
        self._compare()
        self._change_on_both_sides()
        self._lose_an_answer()
        self._leave_an_import()
        self._leave_edits()

    @cached_property
    def operator(self) -> User:
        """Who does all this."""
        return User.objects.get(username="operator")

    # --- what was done here ---

    def _read_tags(self) -> None:
        run_job(create_job(SyncJobAction.DESCRIBE, "several", {}, user=self.operator))

    def _add_schedule(self) -> None:
        schedule = Schedule(
            name="Nightly comparison",
            action=SyncJobAction.COMPARE,
            kinds=[kind.value for kind in Kind],
            cron="30 2 * * *",
        )
        schedule.owner = self.operator
        plan_schedule(schedule)
        schedule.save()

    def _send_mistakes(self) -> None:
        """Two reasons why records fail, among others that are accepted."""
        for external_id in ("OPP-0001", "OPP-0002", "OPP-0003"):
            self._edit(external_id, stage="Negotiation", probability=80)
        with edit(EditSource.FORM, self.operator):
            for external_id, key in MISSPELT_COMPANIES.items():
                Opportunity.objects.create(
                    external_id=external_id,
                    name=f"Partner deal {external_id[-2:]}",
                    company_key=key,
                    stage="Qualification",
                )
            for number, person in enumerate(NOT_IN_MARKETO, start=41):
                parent = Opportunity.objects.get(external_id=f"OPP-00{number}")
                OpportunityPersonRole.objects.create(opportunity=parent, person_id=person, role="Champion")
        run_job(create_sync_job(SyncSelection(kinds=tuple(Kind)), user=self.operator, reason="Pipeline review"))

    def _compare(self) -> None:
        asked = CompareSelection((Kind.OPPORTUNITY, Kind.ROLE))
        run_job(
            create_job(
                SyncJobAction.COMPARE,
                asked.kind_of_job,
                asked.to_json(),
                user=self.operator,
                reason="Before the review",
            )
        )

    def _change_on_both_sides(self) -> None:
        self._edit(ON_BOTH_SIDES, stage="Proposal", probability=60)
        pk = Opportunity.objects.get(external_id=ON_BOTH_SIDES).pk
        asked = PullSelection(kind=Kind.OPPORTUNITY, ids=(pk,))
        run_job(create_job(SyncJobAction.PULL, asked.kind.value, asked.to_json(), user=self.operator))

    def _lose_an_answer(self) -> None:
        """A sync whose answer does not arrive; the worker goes on with it."""
        self._edit(WITHOUT_ANSWER, stage="Closed Won", probability=100)
        self._call("/_control/faults", NOTHING_COMES_BACK)
        pk = Opportunity.objects.get(external_id=WITHOUT_ANSWER).pk
        asked = SyncSelection(kinds=(Kind.OPPORTUNITY,), ids=(pk,))
        run_job(create_sync_job(asked, user=self.operator, reason="Signed today"))

    def _leave_an_import(self) -> None:
        path = Path(settings.BASE_DIR) / "demo" / "new-deals.csv"
        with path.open("rb") as file:
            imported = service.start_import(
                "opportunities",
                file,
                path.name,
                user=self.operator,
                username="",
                source=ImportSource.ADMIN,
                reason="From the partner team",
                enqueue=False,
            )
        runner.run_import(imported)

    def _leave_edits(self) -> None:
        for external_id, values in UNSENT.items():
            self._edit(external_id, **values)
        with edit(EditSource.FORM, self.operator):
            cost = Program.objects.get(marketo_id=1005).costs.earliest("month")
            cost.note = "Agency fee, second instalment"
            cost.save()

    def _edit(self, external_id: str, **values: Any) -> None:
        with edit(EditSource.FORM, self.operator):
            record = Opportunity.objects.get(external_id=external_id)
            for name, value in values.items():
                setattr(record, name, value)
            record.full_clean()
            record.save()

    # --- what somebody else did in Marketo ---

    def _change_in_marketo(self) -> None:
        """Over REST, which the local Marketo answers whatever the demo sends over."""
        query = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        token = self._call(f"/identity/oauth/token?{urllib.parse.urlencode(query)}")["access_token"]
        records = [{"externalOpportunityId": key} | values for key, values in CHANGED_IN_MARKETO.items()]
        body = {"action": "updateOnly", "dedupeBy": "dedupeFields", "input": records}
        self._call("/rest/v1/opportunities.json", body, token)

    def _call(self, path: str, body: object = None, token: str = "") -> Any:
        """Ask the local Marketo; with a body a POST."""
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.marketo + path, data, headers)  # noqa: S310 -- this machine's, by http
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.load(answer)
