"""Where an upload waits between its preview and its confirmation."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.core.files.storage import default_storage
from django.utils import timezone
from import_export.tmp_storages import MediaStorage

KEPT = timedelta(days=1)
"""How long an upload waits."""


class UploadStorage(MediaStorage):
    """Keeps uploads in the project's default storage, where every web process finds them; clears old ones away."""

    def _configure_storage(self) -> None:
        # import-export makes a storage of its own each time, which forgets everything if it is one in memory.
        self._storage = default_storage

    def save(self, data: Any) -> None:
        super().save(data)
        self.remove_old()

    def remove_old(self) -> None:
        """Delete uploads that nobody confirmed."""
        limit = timezone.now() - KEPT
        for name in default_storage.listdir(self.MEDIA_FOLDER)[1]:
            stored = f"{self.MEDIA_FOLDER}/{name}"
            with suppress(FileNotFoundError):  # Another request is clearing up too.
                if default_storage.get_modified_time(stored) < limit:
                    default_storage.delete(stored)
