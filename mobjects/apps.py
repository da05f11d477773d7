"""The app's start-up: system checks and database triggers."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class MobjectsConfig(AppConfig):
    """Marketo's programs, opportunities and person roles."""

    name = "mobjects"
    verbose_name = "Marketo"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks, and have the triggers laid after every ``migrate``."""
        # Both modules need the models, which are not there yet while this one is imported.
        import_module("mobjects.checks")
        triggers = import_module("mobjects.db.triggers")
        post_migrate.connect(triggers.install_triggers, sender=self, dispatch_uid="mobjects.db.triggers")
        edits = import_module("mobjects.db.edit_triggers")
        pre_migrate.connect(edits.remove_edit_triggers, sender=self, dispatch_uid="mobjects.db.edit_triggers")
        post_migrate.connect(edits.install_edit_triggers, sender=self, dispatch_uid="mobjects.db.edit_triggers")
