"""Addresses of the pages around syncing; the project mounts them under the admin, before the admin's own."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path

from mobjects.views import (
    batches,
    catalog,
    circuit,
    conflicts,
    connection,
    delete,
    downloads,
    imports,
    imports_columns,
    imports_review,
    imports_undo,
    imports_upload,
    jobs,
    pull,
    queue,
    records,
    steering,
    sync,
)

app_name = "mobjects"

inside = admin.site.admin_view
"""Sends people who are not logged in to the login page."""

urlpatterns = [
    path("sync/", inside(sync.sync), name="sync"),
    path("sync-jobs/<uuid:pk>/queue-again/", inside(steering.queue_again), name="job-queue-again"),
    path("sync-jobs/<uuid:pk>/pause/", inside(steering.pause), name="job-pause"),
    path("sync-jobs/<uuid:pk>/resume/", inside(steering.resume), name="job-resume"),
    path("sync-jobs/<uuid:pk>/cancel/", inside(steering.cancel), name="job-cancel"),
    path("sync-jobs/<uuid:pk>/retry/", inside(steering.retry), name="job-retry"),
    path("sync-results/<int:pk>/retry/", inside(steering.retry_record), name="result-retry"),
    # Not wrapped: it answers in words where the others lead to the login page.
    path("sync-jobs/<uuid:pk>/live/", jobs.job_live, name="job-live"),
    path("sync-batches/<int:pk>/<str:part>.txt", inside(batches.payload), name="batch-payload"),
    path("sync-history/<str:kind>/<int:pk>/", inside(records.record_history), name="record-history"),
    path("pull/", inside(pull.pull), name="pull"),
    path("compare/", inside(pull.compare), name="compare"),
    path("conflicts/<int:pk>/decide/", inside(conflicts.decide), name="conflict-decide"),
    path("marketo/delete/", inside(delete.delete), name="delete-in-marketo"),
    path("marketo/read/", inside(catalog.describe), name="describe"),
    path("imports/new/", inside(imports_upload.upload), name="import-new"),
    path("imports/<int:pk>/", inside(imports.import_page), name="import"),
    # Not wrapped either.
    path("imports/<int:pk>/live/", imports.import_live, name="import-live"),
    path("imports/<int:pk>/columns/", inside(imports_columns.columns), name="import-columns"),
    path("imports/<int:pk>/check/", inside(imports.check_again), name="import-check"),
    path("imports/<int:pk>/review/", inside(imports_review.review), name="import-review"),
    path("imports/<int:pk>/fix/", inside(imports_review.fix), name="import-fix"),
    path("imports/<int:pk>/fix/remove/", inside(imports_review.remove_fix), name="import-remove-fix"),
    path("imports/<int:pk>/write/", inside(imports_review.write), name="import-write"),
    path("imports/<int:pk>/undo/", inside(imports_undo.undo_page), name="import-undo"),
    path("imports/<int:pk>/discard/", inside(imports.discard), name="import-discard"),
    path("imports/<int:pk>/original/", inside(downloads.original), name="import-original"),
    path("imports/<int:pk>/errors/", inside(downloads.import_errors), name="import-errors"),
    path("imports/templates/<str:kind>/", inside(downloads.import_template), {"extension": "xlsx"}, "import-template"),
    path("imports/templates/<str:kind>/<str:extension>/", inside(downloads.import_template), name="import-template"),
    path("export/<str:kind>/", inside(downloads.export), name="export"),
    path("connection/", inside(connection.connection), name="connection"),
    path("connection/reset/", inside(circuit.reset), name="circuit-reset"),
    path("queue/", inside(queue.queue), name="queue"),
]
