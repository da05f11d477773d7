"""Django's ``flush``, which empties all tables: the history too, which refuses that otherwise."""

from __future__ import annotations

from typing import Any

from django.core.management.commands.flush import Command as DjangoFlush
from django.db import DEFAULT_DB_ALIAS, connections

from mobjects.audit.guard_triggers import install_guard_triggers, remove_guard_triggers
from mobjects.db.edit_triggers import install_edit_triggers, remove_edit_triggers


class Command(DjangoFlush):
    """Empties the database, after asking."""

    def handle(self, **options: Any) -> None:
        using = options.get("database") or DEFAULT_DB_ALIAS
        if connections[using].vendor != "sqlite":
            super().handle(**options)  # It truncates, which no trigger of ours sees.
            return
        remove_guard_triggers(None, using)
        # Records that are emptied after the edits would leave edits of their deletion.
        remove_edit_triggers(None, using, plan=True)
        try:
            super().handle(**options)
        finally:
            install_edit_triggers(None, using)
            install_guard_triggers(None, using)
