"""The uploaded bytes in the database: whole or not at all, and the same when they come out."""

from __future__ import annotations

import hashlib
import io

import pytest

from mobjects.imports import file_storage
from mobjects.models import Import, ImportPart, ImportSource
from mobjects.spreadsheets.types import FileRefused

pytestmark = pytest.mark.django_db

MB = 1_000_000


def imported(source=ImportSource.ADMIN):
    return Import(kind="programs", file_name="a.csv", source=source)


@pytest.mark.parametrize("size", [0, 1, ImportPart.SIZE, ImportPart.SIZE + 1, 2 * ImportPart.SIZE + 77])
def test_bytes_come_out_as_they_went_in(size):
    data = bytes(number * 7 % 251 for number in range(997)) * (size // 997 + 1)
    data = data[:size]
    made = imported()
    file_storage.store_file(made, io.BytesIO(data))
    made.refresh_from_db()
    assert (made.size, made.sha256) == (size, hashlib.sha256(data).hexdigest())
    assert b"".join(file_storage.iter_file_pieces(made)) == data
    assert max([len(piece) for piece in file_storage.iter_file_pieces(made)], default=0) <= ImportPart.SIZE
    with file_storage.open_import_file(made) as file:
        assert file.seekable()
        assert file.read() == data


def test_a_file_that_is_too_large_leaves_nothing_behind(settings):
    settings.IMPORT_MAX_MB = 2
    made = imported()
    with pytest.raises(FileRefused, match="larger than 2 MB"):
        file_storage.store_file(made, io.BytesIO(b"x" * (2 * MB + 1)))
    assert made.pk is None
    assert not Import.objects.exists()
    assert not ImportPart.objects.exists()
    file_storage.store_file(made, io.BytesIO(b"x" * (2 * MB)))
    assert Import.objects.get().size == 2 * MB


def test_a_file_that_breaks_off_leaves_nothing_behind():
    class Broken(io.BytesIO):
        def read(self, *args):
            found = super().read(*args)
            if not found:
                raise OSError("gone")
            return found

    with pytest.raises(OSError, match="gone"):
        file_storage.store_file(imported(), Broken(b"x" * 10))
    assert not Import.objects.exists()
    assert not ImportPart.objects.exists()


def test_the_command_line_takes_any_size(settings):
    settings.IMPORT_MAX_MB = 1
    file_storage.store_file(imported(ImportSource.COMMAND), io.BytesIO(b"x" * (MB + 1)))
    assert Import.objects.get().size == MB + 1
