"""Addresses of the pages around syncing; the project mounts them under the admin, before the admin's own."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path

from mobjects.views import exports
from mobjects.views.imports import columns, detail, review, undo, upload
from mobjects.views.marketo import circuit_breaker, connection, delete, metadata, pull
from mobjects.views.sync import batch_detail, confirm, conflicts, job_actions, job_detail, queue, record_history

app_name = "mobjects"

inside = admin.site.admin_view
"""Sends people who are not logged in to the login page."""

urlpatterns = [
    path("sync/", inside(confirm.sync), name="sync"),
    path("sync-jobs/<uuid:pk>/queue-again/", inside(job_actions.queue_again), name="job-queue-again"),
    path("sync-jobs/<uuid:pk>/pause/", inside(job_actions.pause), name="job-pause"),
    path("sync-jobs/<uuid:pk>/resume/", inside(job_actions.resume), name="job-resume"),
    path("sync-jobs/<uuid:pk>/cancel/", inside(job_actions.cancel), name="job-cancel"),
    path("sync-jobs/<uuid:pk>/retry/", inside(job_actions.retry), name="job-retry"),
    path("sync-results/<int:pk>/retry/", inside(job_actions.retry_record), name="result-retry"),
    # Not wrapped: it answers in words where the others lead to the login page.
    path("sync-jobs/<uuid:pk>/live/", job_detail.job_live, name="job-live"),
    path("sync-batches/<int:pk>/<str:part>.txt", inside(batch_detail.payload), name="batch-payload"),
    path("sync-history/<str:kind>/<int:pk>/", inside(record_history.record_history), name="record-history"),
    path("pull/", inside(pull.pull), name="pull"),
    path("compare/", inside(pull.compare), name="compare"),
    path("conflicts/<int:pk>/decide/", inside(conflicts.decide), name="conflict-decide"),
    path("marketo/delete/", inside(delete.delete), name="delete-in-marketo"),
    path("marketo/read/", inside(metadata.describe), name="describe"),
    path("imports/new/", inside(upload.upload), name="import-new"),
    path("imports/<int:pk>/", inside(detail.import_page), name="import"),
    # Not wrapped either.
    path("imports/<int:pk>/live/", detail.import_live, name="import-live"),
    path("imports/<int:pk>/columns/", inside(columns.columns), name="import-columns"),
    path("imports/<int:pk>/check/", inside(detail.check_again), name="import-check"),
    path("imports/<int:pk>/review/", inside(review.review), name="import-review"),
    path("imports/<int:pk>/fix/", inside(review.fix), name="import-fix"),
    path("imports/<int:pk>/fix/remove/", inside(review.remove_fix), name="import-remove-fix"),
    path("imports/<int:pk>/write/", inside(review.write), name="import-write"),
    path("imports/<int:pk>/undo/", inside(undo.undo_page), name="import-undo"),
    path("imports/<int:pk>/discard/", inside(detail.discard), name="import-discard"),
    path("imports/<int:pk>/original/", inside(exports.original), name="import-original"),
    path("imports/<int:pk>/errors/", inside(exports.import_errors), name="import-errors"),
    path("imports/templates/<str:kind>/", inside(exports.import_template), {"extension": "xlsx"}, "import-template"),
    path("imports/templates/<str:kind>/<str:extension>/", inside(exports.import_template), name="import-template"),
    path("export/<str:kind>/", inside(exports.export), name="export"),
    path("connection/", inside(connection.connection), name="connection"),
    path("connection/reset/", inside(circuit_breaker.reset), name="circuit-reset"),
    path("queue/", inside(queue.queue), name="queue"),
]
