"""The app's start-up: system checks, database triggers, search tables, and what listens to how jobs end."""

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
        """Register checks and listeners, and have triggers and search tables laid after every ``migrate``."""
        # These modules need the models, which are not there yet while this one is imported.
        import_module("mobjects.checks")
        import_module("mobjects.jobs.tries")
        import_module("mobjects.audit.listeners").connect_listeners()
        import_module("mobjects.accounts.sessions")
        lifecycle = import_module("mobjects.jobs.lifecycle")
        daily = import_module("mobjects.figures.daily")
        lifecycle.job_came_to_rest.connect(daily.count_ended_job, dispatch_uid="mobjects.figures.daily")
        notices = import_module("mobjects.notices.job_events")
        lifecycle.job_came_to_rest.connect(notices.notice_job, dispatch_uid="mobjects.notices")
        late = import_module("mobjects.sync.job_results").results_ended_late
        late.connect(daily.count_late_ends, dispatch_uid="mobjects.figures.daily")
        late.connect(notices.notice_late_ends, dispatch_uid="mobjects.notices")
        own_work = import_module("mobjects.notices.own_work")
        lifecycle.job_came_to_rest.connect(own_work.notice_job_done, dispatch_uid="mobjects.notices.own_work")
        import_states = import_module("mobjects.imports.lifecycle")
        import_states.import_came_to_rest.connect(own_work.notice_import_step, dispatch_uid="mobjects.notices.own_work")
        approvals = import_module("mobjects.notices.approval_events")
        approval_states = import_module("mobjects.jobs.approvals.lifecycle")
        approval_states.approval_asked.connect(approvals.notice_asking, dispatch_uid="mobjects.notices")
        approval_states.approval_decided.connect(approvals.notice_decision, dispatch_uid="mobjects.notices")
        signals, standing = import_module("mobjects.processes.signals"), import_module("mobjects.notices.standing")
        signals.ticked.connect(standing.look_around, dispatch_uid="mobjects.notices")
        signals.watched.connect(standing.watch_processes, dispatch_uid="mobjects.notices")
        triggers = import_module("mobjects.db.triggers")
        search = import_module("mobjects.db.search_tables")
        post_migrate.connect(triggers.install_triggers, sender=self, dispatch_uid="mobjects.db.triggers")
        post_migrate.connect(search.install_search_tables, sender=self, dispatch_uid="mobjects.db.search_tables")
        guards = import_module("mobjects.audit.guard_triggers")
        pre_migrate.connect(guards.remove_guard_triggers, sender=self, dispatch_uid="mobjects.audit.guards")
        post_migrate.connect(guards.install_guard_triggers, sender=self, dispatch_uid="mobjects.audit.guards")
        edits = import_module("mobjects.db.edit_triggers")
        pre_migrate.connect(edits.remove_edit_triggers, sender=self, dispatch_uid="mobjects.db.edit_triggers")
        post_migrate.connect(edits.install_edit_triggers, sender=self, dispatch_uid="mobjects.db.edit_triggers")
