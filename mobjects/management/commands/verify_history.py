"""``python manage.py verify_history``: whether the history is as it was sealed."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from mobjects.audit.sealing import seal_everything
from mobjects.audit.verifying import read_anchors, verify_history


class Command(BaseCommand):
    """Compares the history with its chain, and names the first entry that is not as it was."""

    help = (
        "Compare jobs, batches, results, edits and audit events with the chain that seals them, and name the first "
        "that is not as it was. Exit code: 0 all as it was, 1 something is not, 2 it could not be found out."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--anchors", type=Path, help="a file that history_anchor has written to: JSON lines")
        parser.add_argument("--seal", action="store_true", help="first seal what is finished and not sealed yet")

    def handle(self, *, anchors: Path | None, seal: bool, **options: Any) -> None:
        try:
            known = read_anchors(anchors) if anchors else []
        except (OSError, ValueError) as error:
            raise CommandError(f"The anchors cannot be read. {error}", returncode=2) from error
        if seal:
            seal_everything()
        found = verify_history(known)
        if found.broken is not None:
            raise CommandError(f"First broken entry: {found.broken}", returncode=1)
        number, digest = found.last
        compared = f" The chain holds the {len(known):,} anchors." if known else ""
        self.stdout.write(
            f"The history is as it was sealed: {found.rows:,} rows in {found.seals:,} links, {found.removed:,} removed "
            f"by retention, {found.waiting:,} not sealed yet.{compared} Newest link: {number} {digest}"
        )
