#!/usr/bin/env bash
# django-import-export 4.4.3: what it makes of cells that are none of the values it knows, in columns of yes or no, of tags and of numbers.
#
# Guess, written down before the run: as with a date, an amount or a foreign key that it does not know, the row is an error and nobody's
# record changes; "yes" in a boolean column is yes at best.
#
# Seen: in a boolean column everything but 1, true, TRUE and True is no: "yes", "Y", "x", "on", "WAHR" (a German Excel's true), "1.0", and
# "true" behind a space. Of a list of tags those that it does not find are left out, and a record whose only tag is written "emea" loses
# the tag EMEA that it had. 12.9 in a column of whole numbers is 12. All rows count as updated; none is an error or invalid. An owner,
# date or amount that is not known is an error, as it should be. (Its guide shows how to change the booleans, not what the others become.)
#
# Whom it hurts: staff who fill in a list that others made: every consent that was given as "yes" is withdrawn, programs lose the tags
# that reports are grouped by, and the confirmation says that all rows were imported.
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
from import_export.fields import Field  # noqa: E402
from import_export.resources import ModelResource  # noqa: E402
from import_export.widgets import ForeignKeyWidget, ManyToManyWidget  # noqa: E402


class Named(models.Model):
    name = models.CharField(max_length=20, unique=True)

    class Meta:
        app_label = "import_export"


class Program(models.Model):
    key = models.CharField(max_length=20, unique=True)
    consent = models.BooleanField(null=True)
    seats = models.IntegerField(null=True)
    amount = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    ends = models.DateField(null=True)
    owner = models.ForeignKey(Named, models.CASCADE, null=True, related_name="+")
    tags = models.ManyToManyField(Named, related_name="+")

    class Meta:
        app_label = "import_export"


class ProgramResource(ModelResource):
    owner = Field("owner", "owner", widget=ForeignKeyWidget(Named, "name"))
    tags = Field("tags", "tags", widget=ManyToManyWidget(Named, field="name"))

    class Meta:
        model = Program
        import_id_fields = ["key"]
        fields = ["key", "consent", "seats", "amount", "ends", "owner", "tags"]


def attempt(column, text):
    Program.objects.all().delete()
    Program.objects.create(key="P", consent=True, seats=1).tags.set(Named.objects.all())
    result = ProgramResource().import_data(tablib.Dataset(("P", text), headers=["key", column]))
    program = Program.objects.get()
    now = ",".join(program.tags.order_by("name").values_list("name", flat=True)) if column == "tags" else getattr(program, column)
    counted = ", ".join(name for name, count in result.totals.items() if count)
    print(f"{column} {text!r}: {now!r} ({counted})")


with connection.schema_editor() as editor:
    editor.create_model(Named)
    editor.create_model(Program)
for name in ("EMEA", "Q4"):
    Named.objects.create(name=name)
for text in ("true", "yes", "Y", "x", "on", "WAHR", "1.0", " true"):
    attempt("consent", text)
for text in ("EMEA,Q4", "EMEA,Q5", "emea"):
    attempt("tags", text)
attempt("seats", "12.9")
attempt("amount", "12,9")
attempt("ends", "28/11/2026")
attempt("owner", "emea")
PYTHON
venv/bin/python try.py | tee seen
diff seen - <<'EXPECTED'
consent 'true': True (update)
consent 'yes': False (update)
consent 'Y': False (update)
consent 'x': False (update)
consent 'on': False (update)
consent 'WAHR': False (update)
consent '1.0': False (update)
consent ' true': False (update)
tags 'EMEA,Q4': 'EMEA,Q4' (update)
tags 'EMEA,Q5': 'EMEA' (update)
tags 'emea': '' (update)
seats '12.9': 12 (update)
amount '12,9': None (error)
ends '28/11/2026': None (invalid)
owner 'emea': None (error)
EXPECTED
