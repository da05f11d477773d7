"""Addresses of the pages around syncing; the project mounts them under the admin, before the admin's own."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from mobjects.api import description
from mobjects.views import audit, base, dashboard, decisions, deletions, exports, palette, saved_views, time_zone
from mobjects.views.account import sign_in, tokens
from mobjects.views.approvals import pages as approval_pages
from mobjects.views.bulk_edits import pages as bulk_edit_pages
from mobjects.views.grid import months as grid_months
from mobjects.views.grid import pages as grid_pages
from mobjects.views.imports import columns, corrections, detail, review, undo, upload
from mobjects.views.marketo import (
    circuit_breaker,
    confirmations,
    connection,
    delete,
    metadata,
    moving,
    named_records,
    pull,
)
from mobjects.views.notices import inbox, webhooks
from mobjects.views.retention import erasures, purges
from mobjects.views.sync import (
    batch_detail,
    confirm,
    conflicts,
    follow_ups,
    history_files,
    job_actions,
    job_detail,
    queue,
    record_history,
    result_detail,
    undo_sending,
)

app_name = "mobjects"

admin_view = admin.site.admin_view
"""Sends people who are not logged in to the login page."""

urlpatterns = [
    # The admin's own, which takes a press only too.
    path("logout/", admin_view(base.press_only("admin:index")(admin.site.logout)), name="log-out"),
    # The admin's own, recorded.
    path("password_change/", admin_view(audit.change_password), name="password-change"),
    path("audit/", admin_view(audit.audit_page), name="audit"),
    # Lists of tables, which the menu is instead.
    path("mobjects/", RedirectView.as_view(pattern_name="admin:index")),
    path("auth/", RedirectView.as_view(pattern_name="admin:index")),
    # In the place of the theme's own.
    path("search/", admin_view(palette.search_everything), name="search"),
    # Not wrapped: it answers in words where the others lead to the login page.
    path("dashboard/live/", dashboard.dashboard_live, name="dashboard-live"),
    path("sync/", admin_view(confirm.sync_page), name="sync"),
    path("sync-jobs/<uuid:pk>/queue-again/", admin_view(job_actions.job_queue_again), name="job-queue-again"),
    path("sync-jobs/<uuid:pk>/pause/", admin_view(job_actions.job_pause), name="job-pause"),
    path("sync-jobs/<uuid:pk>/resume/", admin_view(job_actions.job_resume), name="job-resume"),
    path("sync-jobs/<uuid:pk>/cancel/", admin_view(job_actions.job_cancel), name="job-cancel"),
    path("sync-jobs/<uuid:pk>/retry/", admin_view(job_actions.job_retry), name="job-retry"),
    path("sync-jobs/<uuid:pk>/send-exactly/", admin_view(follow_ups.send_exactly), name="send-exactly"),
    path("sync-jobs/<uuid:pk>/send-rest/", admin_view(follow_ups.send_rest), name="send-rest"),
    path("sync-jobs/<uuid:pk>/undo/", admin_view(undo_sending.undo_page), name="undo-sending"),
    path("sync-jobs/<uuid:pk>/retry-ticked/", admin_view(job_actions.results_retry), name="results-retry"),
    path(
        "sync-jobs/<uuid:pk>/results.<str:extension>", admin_view(history_files.results_file), name="job-results-file"
    ),
    path("sync-jobs/jobs.<str:extension>", admin_view(history_files.jobs_file), name="jobs-file"),
    path("sync-results/results.<str:extension>", admin_view(history_files.results_file), name="results-file"),
    path("sync-results/<int:pk>/", admin_view(result_detail.result_page), name="result"),
    path("notices/", admin_view(inbox.inbox_page), name="notices"),
    path("notices/read/", admin_view(inbox.notices_read), name="notices-read"),
    path("notices/settings/", admin_view(inbox.notice_settings_page), name="notice-settings"),
    path("notices/deliveries/", admin_view(webhooks.deliveries_page), name="notice-deliveries"),
    path("notices/deliveries/<int:pk>/resend/", admin_view(webhooks.delivery_resend), name="delivery-resend"),
    path("notices/webhooks/new/", admin_view(webhooks.webhook_new), name="webhook-new"),
    path("notices/webhooks/<int:pk>/", admin_view(webhooks.webhook_change), name="webhook"),
    path("notices/webhooks/<int:pk>/test/", admin_view(webhooks.webhook_test), name="webhook-test"),
    path("notices/webhooks/<int:pk>/delete/", admin_view(webhooks.webhook_delete), name="webhook-delete"),
    path("saved-views/<str:page>/", admin_view(saved_views.save_view), name="view-save"),
    path("saved-views/<str:page>/<int:pk>/open-with/", admin_view(saved_views.open_with_view), name="view-open"),
    path("saved-views/<str:page>/<int:pk>/delete/", admin_view(saved_views.delete_view), name="view-delete"),
    path("sync-results/<int:pk>/retry/", admin_view(job_actions.result_retry), name="result-retry"),
    # Not wrapped: it answers in words where the others lead to the login page.
    path("sync-jobs/<uuid:pk>/live/", job_detail.job_live, name="job-live"),
    path("sync-batches/<int:pk>/<str:part>.txt", admin_view(batch_detail.batch_payload), name="batch-payload"),
    path("sync-history/<str:kind>/<int:pk>/", admin_view(record_history.record_history), name="record-history"),
    path(
        "sync-history/<str:kind>/<int:pk>/restore/<str:entry>/",
        admin_view(record_history.record_restore),
        name="record-restore",
    ),
    path("pull/", admin_view(pull.pull_page), name="pull"),
    path("compare/", admin_view(pull.compare_page), name="compare"),
    path("records/by-list/", admin_view(named_records.named_records_page), name="named-records"),
    path("moving/", admin_view(moving.moving_page), name="moving"),
    path("conflicts/alike/", admin_view(decisions.conflict_groups), name="conflict-groups"),
    path("conflicts/alike/<str:kind>/<str:fields_key>/", admin_view(decisions.conflict_group), name="conflict-group"),
    path("conflicts/decisions/<int:pk>/", admin_view(decisions.decision_page), name="conflict-decision"),
    path(
        "conflicts/decisions/<int:pk>/confirm/",
        admin_view(decisions.decision_confirm),
        name="conflict-decision-confirm",
    ),
    path("conflicts/decisions/<int:pk>/undo/", admin_view(decisions.decision_undo), name="conflict-decision-undo"),
    path("conflicts/<int:pk>/decide/", admin_view(conflicts.conflict_decide), name="conflict-decide"),
    path("marketo/delete/", admin_view(delete.delete_in_marketo), name="delete-in-marketo"),
    path("marketo/read/", admin_view(metadata.request_describe), name="describe"),
    path("imports/new/", admin_view(upload.import_new), name="import-new"),
    path("imports/<int:pk>/", admin_view(detail.import_page), name="import"),
    # Not wrapped either.
    path("imports/<int:pk>/live/", detail.import_live, name="import-live"),
    path("imports/<int:pk>/columns/", admin_view(columns.import_columns), name="import-columns"),
    path("imports/<int:pk>/check/", admin_view(detail.import_check), name="import-check"),
    path("imports/<int:pk>/review/", admin_view(review.import_review), name="import-review"),
    path("imports/<int:pk>/fix/", admin_view(corrections.import_fix), name="import-fix"),
    path("imports/<int:pk>/write/", admin_view(review.import_write), name="import-write"),
    path("imports/<int:pk>/undo/", admin_view(undo.import_undo), name="import-undo"),
    path("imports/<int:pk>/discard/", admin_view(detail.import_discard), name="import-discard"),
    path("imports/<int:pk>/original/", admin_view(exports.import_original), name="import-original"),
    path("imports/<int:pk>/errors/", admin_view(exports.import_errors), name="import-errors"),
    path(
        "imports/templates/<str:kind>/", admin_view(exports.import_template), {"extension": "xlsx"}, "import-template"
    ),
    path("imports/templates/<str:kind>/<str:extension>/", admin_view(exports.import_template), name="import-template"),
    path("export/<str:kind>/", admin_view(exports.export_page), name="export"),
    path("connection/", admin_view(connection.connection_page), name="connection"),
    path("connection/allow/", admin_view(confirmations.confirmation_set), name="confirmation"),
    path("connection/reset/", admin_view(circuit_breaker.circuit_reset), name="circuit-reset"),
    path("grid/months/", admin_view(grid_months.months_page), name="grid-months"),
    path("grid/months/save/", admin_view(grid_months.months_save), name="grid-months-save"),
    path("grid/<str:model_name>/", admin_view(grid_pages.grid_page), name="grid"),
    path("grid/<str:model_name>/save/", admin_view(grid_pages.grid_save), name="grid-save"),
    path("approvals/<int:pk>/", admin_view(approval_pages.approval_page), name="approval"),
    path("approvals/<int:pk>/approve/", admin_view(approval_pages.approval_approve), name="approval-approve"),
    path("approvals/<int:pk>/refuse/", admin_view(approval_pages.approval_refuse), name="approval-refuse"),
    path("approvals/<int:pk>/withdraw/", admin_view(approval_pages.approval_withdraw), name="approval-withdraw"),
    path("bulk-edits/<int:pk>/", admin_view(bulk_edit_pages.bulk_edit_page), name="bulk-edit"),
    path("bulk-edits/<int:pk>/plan/", admin_view(bulk_edit_pages.bulk_edit_plan), name="bulk-edit-plan"),
    path("bulk-edits/<int:pk>/confirm/", admin_view(bulk_edit_pages.bulk_edit_confirm), name="bulk-edit-confirm"),
    path("bulk-edits/<int:pk>/undo/", admin_view(bulk_edit_pages.bulk_edit_undo), name="bulk-edit-undo"),
    path("bulk-edits/<int:pk>/sync/", admin_view(bulk_edit_pages.bulk_edit_sync), name="bulk-edit-sync"),
    path("deletions/<int:pk>/", admin_view(deletions.deletion_page), name="deletion"),
    path("deletions/<int:pk>/records/<str:which>/", admin_view(deletions.deletion_records), name="deletion-records"),
    path("deletions/<int:pk>/confirm/", admin_view(deletions.deletion_confirm), name="deletion-confirm"),
    path("deletions/<int:pk>/undo/", admin_view(deletions.deletion_undo), name="deletion-undo"),
    path("retention/", admin_view(purges.retention_page), name="retention"),
    path("retention/erase/", admin_view(erasures.erasure_page), name="erase-person"),
    path("retention/purge/", admin_view(purges.purge_now), name="purge"),
    path("retention/allow/", admin_view(purges.allow_purges), name="purge-allow"),
    path("time-zone/", admin_view(time_zone.time_zone_page), name="time-zone"),
    path("sign-in/", admin_view(sign_in.sign_in_page), name="sign-in"),
    path("sign-in/sessions/<int:pk>/end/", admin_view(sign_in.session_end), name="session-end"),
    path("sign-in/sessions/end/", admin_view(sign_in.sessions_end), name="sessions-end"),
    path("api/", admin_view(description.description_page), name="api"),
    path("api/openapi.json", admin_view(description.schema_file), name="api-schema"),
    path("api/tokens/", admin_view(tokens.tokens_page), name="api-tokens"),
    path("api/tokens/<int:pk>/revoke/", admin_view(tokens.token_revoke), name="api-token-revoke"),
    path("queue/", admin_view(queue.queue_page), name="queue"),
]
