#!/usr/bin/env bash
# django-import-export 4.4.3 with use_bulk, its setting for large files, and a file in which a key stands twice.
#
# Guess, written down before the run: bulk mode is the same import with fewer queries. What it gives up stands in its guide: save(),
# signals, many-to-many. Two rows of one key end as without it: one record, and the later row is what holds.
#
# Seen: a new key that stands twice becomes two records, both counted as new. Of a key that exists already, the first row's values hold
# and the later row's are dropped, while both are counted as updated; without bulk mode it is the other way round. Each row looks
# its record up in the database, where the rows before it are not yet, and bulk_update takes the first of two values. The
# preview says the same numbers; there is no error and no invalid row, unless the database forbids a second key, and then the batch fails.
#
# Whom it hurts: whoever turns bulk mode on because nightly files have grown: a system that appends corrections to its export gets old
# amounts for existing deals and two records for new ones; and from then on each import of that key is an error (two found).
#
# Exits with 0 as long as that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check Django==5.2.19 django-import-export==4.4.3 tablib==3.10.0
cat > try.py <<'PYTHON'
import django
import tablib
from django.conf import settings

settings.configure(
    INSTALLED_APPS=["import_export"], DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
)
django.setup()

from django.db import connection, models  # noqa: E402
from import_export.resources import ModelResource  # noqa: E402


class Deal(models.Model):
    key = models.CharField(max_length=20)
    amount = models.DecimalField(max_digits=12, decimal_places=2)

    class Meta:
        app_label = "import_export"


class RowByRow(ModelResource):
    class Meta:
        model = Deal
        fields = ["key", "amount"]
        import_id_fields = ["key"]


class InBulk(RowByRow):
    class Meta(RowByRow.Meta):
        use_bulk = True


def attempt(resource):
    Deal.objects.all().delete()
    Deal.objects.create(key="OLD", amount=1)
    rows = tablib.Dataset(("NEW", 10), ("OLD", 10), ("NEW", 20), ("OLD", 20), headers=["key", "amount"])
    preview = resource().import_data(rows, dry_run=True).totals
    result = resource().import_data(rows)
    wrong = result.has_errors() or result.has_validation_errors()
    said = [f"{name} {totals['new']} new {totals['update']} updated" for name, totals in (("preview", preview), ("import", result.totals))]
    print(f"{resource.__name__}: {', '.join(said)}, errors {wrong}")
    print("   ", [f"{deal.key} {deal.amount}" for deal in Deal.objects.order_by("key", "pk")])


with connection.schema_editor() as editor:
    editor.create_model(Deal)
attempt(RowByRow)
attempt(InBulk)
again = InBulk().import_data(tablib.Dataset(("NEW", 30), headers=["key", "amount"]))
print("and again:", [type(error.error).__name__ for row in again.rows for error in row.errors])
PYTHON
venv/bin/python try.py | tee seen
diff seen - <<'EXPECTED'
RowByRow: preview 1 new 3 updated, import 1 new 3 updated, errors False
    ['NEW 20.00', 'OLD 20.00']
InBulk: preview 2 new 2 updated, import 2 new 2 updated, errors False
    ['NEW 10.00', 'NEW 20.00', 'OLD 10.00']
and again: ['MultipleObjectsReturned']
EXPECTED
