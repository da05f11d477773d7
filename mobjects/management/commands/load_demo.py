"""``manage.py load_demo``: tables, static files, logins and sample data of the demo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from mobjects.jobs.requests import create_job
from mobjects.jobs.runner import run_job
from mobjects.local.demo import LOGINS, PASSWORD
from mobjects.marketo.types import DataType, Kind
from mobjects.models import CustomField, SyncJobAction
from mobjects.sync.pull.task import PullSelection
from mobjects.sync.transport_factory import endpoint_is_local

FILE_KINDS = ("program-costs", "program-tags", "opportunities", "roles")


class Command(BaseCommand):
    """Prepare a database for the demo. Part of ``manage.py demo``; safe to repeat."""

    help = "Prepare a database for the demo: tables, static files, logins with a known password, sample data."

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare the database, unless a Marketo other than the local one is configured."""
        if not endpoint_is_local():
            raise CommandError(
                "load_demo makes logins with a known password, so it works only with a Marketo on this machine."
            )
        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        for name in LOGINS:
            _create_login(name)
        CustomField.objects.get_or_create(
            kind=Kind.OPPORTUNITY.value,
            name="ContractMonths",
            defaults={"label": "Contract Months", "data_type": DataType.INTEGER.value},
        )
        programs = PullSelection(kind=Kind.PROGRAM)
        run_job(create_job(SyncJobAction.PULL, programs.kind.value, programs.to_json(), username="operator"))
        for kind in FILE_KINDS:
            self.stdout.write(f"{kind} ", ending="")
            call_command(
                "import_mobjects", kind, str(Path(settings.BASE_DIR) / "demo" / f"{kind}.csv"), stdout=self.stdout
            )


def _create_login(name: str) -> None:
    if User.objects.filter(username=name).exists():
        return
    if name == "admin":
        User.objects.create_superuser(name, password=PASSWORD)
        return
    user = User.objects.create_user(name, password=PASSWORD, is_staff=True)
    user.groups.add(Group.objects.get(name=name))
