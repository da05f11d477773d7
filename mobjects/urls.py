"""Addresses of the pages around syncing; the project mounts them under the admin, before the admin's own."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path

from mobjects.views import batches, connection, jobs, queue, records, sync

app_name = "mobjects"

inside = admin.site.admin_view
"""Sends people who are not logged in to the login page."""

urlpatterns = [
    path("sync/", inside(sync.sync), name="sync"),
    path("sync-jobs/<uuid:pk>/queue-again/", inside(jobs.queue_again), name="job-queue-again"),
    # Not wrapped: it answers in words where the others lead to the login page.
    path("sync-jobs/<uuid:pk>/live/", jobs.job_live, name="job-live"),
    path("sync-batches/<int:pk>/<str:part>.txt", inside(batches.payload), name="batch-payload"),
    path("sync-history/<str:kind>/<int:pk>/", inside(records.record_history), name="record-history"),
    path("connection/", inside(connection.connection), name="connection"),
    path("queue/", inside(queue.queue), name="queue"),
]
