"""The uploaded bytes: in the database, where every host finds them, and in a temporary file while they are read."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import BinaryIO

from django.db import connection, transaction
from django.utils.translation import gettext_noop as _

from mobjects.imports.file_limits import MB, limits_for
from mobjects.models import Import, ImportPart
from mobjects.spreadsheets.types import FileRefused

_COPY = f"COPY {ImportPart._meta.db_table} (imported_id, number, data) FROM STDIN (FORMAT BINARY)"
_QUICK_COMPRESSION = (
    "SELECT set_config(name, 'lz4', true) FROM pg_settings "
    "WHERE name = 'default_toast_compression' AND 'lz4' = ANY(enumvals)"
)
_NAME_LENGTH = 255


def short_name(name: str) -> str:
    """The name of a file as its column takes it, without folders, with its ending."""
    path = PurePath(name.replace("\0", "").replace("\\", "/"))
    return f"{path.stem[: _NAME_LENGTH - len(path.suffix)]}{path.suffix}"[:_NAME_LENGTH]


def store_file(imported: Import, file: BinaryIO) -> None:
    """Write down a new import with its file, or nothing at all.

    Args:
        imported: not saved yet; gets its size and SHA-256.
        file: is read from where it stands.

    Raises:
        FileRefused: it is larger than imports from there may be.
    """
    most = limits_for(imported.source).size
    digest = hashlib.sha256()

    def read_parts() -> Iterator[bytes]:
        while data := file.read(ImportPart.SIZE):
            imported.size += len(data)
            if imported.size > most:
                raise file_too_large(most)
            digest.update(data)
            yield data

    imported.size, imported.sha256 = 0, ""
    try:
        with transaction.atomic():
            imported.save()
            _write_parts(imported, read_parts())
            imported.sha256 = digest.hexdigest()
            imported.save(update_fields=["size", "sha256"])
    except BaseException:
        imported.pk = None
        raise


def _write_parts(imported: Import, parts: Iterable[bytes]) -> None:
    if connection.vendor != "postgresql":
        for number, data in enumerate(parts):
            ImportPart.objects.create(imported=imported, number=number, data=data)
        return
    # Somebody waits: an INSERT takes twice the bytes as text, and the usual compression three times as long.
    with connection.cursor() as cursor:
        cursor.execute(_QUICK_COMPRESSION)
        with cursor.copy(_COPY) as copy:
            copy.set_types(["int8", "int4", "bytea"])
            for number, data in enumerate(parts):
                copy.write_row((imported.pk, number, data))


def file_too_large(most: int) -> FileRefused:
    """The refusal of a file of more than so many bytes."""
    words = _(
        "The file is larger than %(megabytes)s MB, the most that can be uploaded. Split it, or import it on the "
        "command line: manage.py import_mobjects."
    )
    return FileRefused(words % {"megabytes": f"{most / MB:g}"})


@contextmanager
def open_import_file(imported: Import) -> Iterator[BinaryIO]:
    """The file of an import as a file: temporary, seekable, at its beginning.

    Raises:
        FileRefused: it is not kept any more.
    """
    if imported.file_removed_at is not None:
        raise FileRefused(_("The file is not kept any more. Upload it again."))
    with tempfile.TemporaryFile() as file:
        for data in iter_file_pieces(imported):
            file.write(data)
        file.seek(0)
        yield file


def iter_file_pieces(imported: Import) -> Iterator[bytes]:
    """The file of an import, piece by piece, byte for byte as it was uploaded."""
    parts = ImportPart.objects.filter(imported=imported).order_by("number")
    # One at a time: SQLite's and PostgreSQL's drivers alike would hold all that one query gives.
    for number in parts.values_list("number", flat=True):
        yield bytes(parts.values_list("data", flat=True).get(number=number))
