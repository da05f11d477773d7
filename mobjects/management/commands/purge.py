"""Have go what is older than its period, or say what would."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand

from mobjects.management.base import system_username
from mobjects.models import Purge, PurgeKind, SyncJobSource
from mobjects.retention import service


class Command(BaseCommand):
    """``manage.py purge``; docs/retention.md."""

    help = "Remove what is over and older than its period (RETENTION_*_DAYS), in this process and in small steps."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would go, and remove nothing")
        parser.add_argument(
            "--kind", action="append", choices=PurgeKind.values, help="only this kind; may be given several times"
        )
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        kinds = [PurgeKind(name) for name in options["kind"] or PurgeKind.values]
        rows = _preview_rows(kinds) if options["dry_run"] else _purge_rows(kinds)
        if options["json"]:
            self.stdout.write(json.dumps(rows))
            return
        for row in rows:
            words = [f"{name.replace('_', ' ')} {value}" for name, value in row.items() if name != "kind"]
            self.stdout.write(f"{row['kind']}: {', '.join(words)}")


def _preview_rows(kinds: list[PurgeKind]) -> list[dict[str, Any]]:
    return [
        {
            "kind": each.kind.value,
            "days": "for ever" if each.days is None else each.days,
            "count": each.due.count,
            **({"counted": "only so far"} if each.due.more else {}),
            "oldest": _moment(each.due.oldest),
            "newest": _moment(each.due.newest),
        }
        for each in service.preview_purge(kinds)
    ]


def _purge_rows(kinds: list[PurgeKind]) -> list[dict[str, Any]]:
    made = service.request_purge(kinds, source=SyncJobSource.COMMAND, username=system_username(), enqueue=False)
    for purge in made:
        service.run_purge(purge.pk)
    done = Purge.objects.filter(pk__in=[purge.pk for purge in made]).order_by("pk")
    return [{"kind": row.kind, "removed": row.removed_count, "until": _moment(row.until)} for row in done]


def _moment(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else "-"
