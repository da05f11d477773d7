"""The rival: django-import-export's own admin flow over the same columns of the same table.

A plain ``ModelResource`` with all settings as they come. The upload is previewed (a dry run, with a difference of
every cell) and then, after the confirmation, read and imported again; each as its ``ImportMixin`` does it. Its page,
with the table of all rows, and its log entries are left out, so that it is rather flattered than wronged.
"""

from __future__ import annotations

import time
from pathlib import Path

from import_export.formats.base_formats import CSV
from import_export.resources import ModelResource
from import_export.results import Result, RowResult

from bench.imports_floor import COLUMNS
from mobjects.models import Opportunity


class StockResource(ModelResource):  # type: ignore[misc]  # it carries no types
    """As its documentation begins."""

    class Meta:
        model = Opportunity
        fields = tuple(COLUMNS)
        import_id_fields = ("external_id",)


def measure(path: Path, rows: int) -> tuple[float, float]:
    """Import a file whose headers are names of fields; returns the seconds of the preview and of the import."""
    began = time.perf_counter()
    _expect(_run(path, dry_run=True), rows)
    previewed = time.perf_counter()
    _expect(_run(path, dry_run=False), rows)
    return previewed - began, time.perf_counter() - previewed


def with_field_names(source: Path, target: Path) -> Path:
    """Copy a file with the names of fields as its headers."""
    with open(source, encoding="utf-8") as file, open(target, "w", encoding="utf-8") as copy:
        next(file)
        copy.write(",".join(COLUMNS) + "\n")
        copy.writelines(file)
    return target


def _run(path: Path, *, dry_run: bool) -> Result:
    dataset = CSV(encoding="utf-8").create_dataset(path.read_text(encoding="utf-8"))
    return StockResource().import_data(
        dataset,
        dry_run=dry_run,
        raise_errors=False,
        rollback_on_validation_errors=not dry_run,
        retain_instance_in_row_result=not dry_run,
        file_name=path.name,
    )


def _expect(result: Result, rows: int) -> None:
    done = result.totals[RowResult.IMPORT_TYPE_NEW] + result.totals[RowResult.IMPORT_TYPE_UPDATE]
    if result.has_errors() or result.has_validation_errors() or done != rows:
        raise RuntimeError(f"django-import-export imported {done} of {rows} rows: {dict(result.totals)}")
