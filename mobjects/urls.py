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
    path("connection/", inside(connection.connection), name="connection"),
    path("connection/reset/", inside(circuit.reset), name="circuit-reset"),
    path("queue/", inside(queue.queue), name="queue"),
]
