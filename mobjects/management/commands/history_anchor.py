"""``python manage.py history_anchor``: the end of the history's chain, printed and written out."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from mobjects.audit.anchors import AnchorRefused, write_anchor
from mobjects.audit.sealing import seal_everything


class Command(BaseCommand):
    """Seals what is finished, and writes the end of the chain where the settings say."""

    help = (
        "Seal what of the history is finished, print the end of its chain as a line of JSON, and write it where "
        "HISTORY_ANCHOR_FILE, HISTORY_ANCHOR_WEBHOOK and HISTORY_ANCHOR_SYSLOG say. Exit code: 0 done, 2 not."
    )

    def handle(self, **options: Any) -> None:
        seal_everything()
        try:
            anchor = write_anchor()
        except AnchorRefused as error:
            raise CommandError(str(error), returncode=2) from error
        if anchor is None:
            raise CommandError("There is no history to anchor yet.", returncode=2)
        self.stdout.write(json.dumps(anchor, ensure_ascii=False))
