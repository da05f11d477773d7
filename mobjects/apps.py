"""The app's start-up: system checks, database triggers, and what listens to how jobs end."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class MobjectsConfig(AppConfig):
    """Marketo's programs, opportunities and person roles."""

    name = "mobjects"
    verbose_name = "Marketo"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks and the listener, and have the triggers laid after every ``migrate``."""
        # These modules need the models, which are not there yet while this one is imported.
        import_module("mobjects.checks")
        import_module("mobjects.jobs.tries")
        triggers = import_module("mobjects.db.triggers")
        post_migrate.connect(triggers.install_triggers, sender=self, dispatch_uid="mobjects.db.triggers")
