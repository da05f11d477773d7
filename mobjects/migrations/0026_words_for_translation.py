"""Names of models and fields as words of their own, so that they can be translated. Nothing in the database changes."""

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import mobjects.models.fields
from django.conf import settings
from django.db import migrations, models
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState


class ChangeWords(migrations.SeparateDatabaseAndState):
    """Changes of state only, after all of which the models are made anew once instead of after each of 200.

    Left to themselves, SQLite would copy the tables of records: a computed column with another name for people is
    another column to Django (5.2).
    """

    def __init__(self, *operations: Operation) -> None:
        super().__init__(state_operations=operations)

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        state.__dict__.pop("apps", None)
        super().state_forwards(app_label, state)


class Migration(migrations.Migration):
    dependencies = [
        ("mobjects", "0025_edits_by_triggers"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        ChangeWords(
            migrations.AlterModelOptions(
                name="allowedtag",
                options={
                    "default_permissions": ("view",),
                    "ordering": ("type", "value"),
                    "verbose_name": "allowed tag value",
                    "verbose_name_plural": "allowed tag values",
                },
            ),
            migrations.AlterModelOptions(
                name="bulkdeletion",
                options={
                    "default_permissions": (),
                    "ordering": ("-pk",),
                    "verbose_name": "bulk deletion",
                    "verbose_name_plural": "bulk deletions",
                },
            ),
            migrations.AlterModelOptions(
                name="circuit",
                options={
                    "default_permissions": ("view",),
                    "ordering": ("-opened_at", "-pk"),
                    "permissions": (("reset_circuit", "Can let sending go on after it was halted"),),
                    "verbose_name": "circuit",
                    "verbose_name_plural": "circuits",
                },
            ),
            migrations.AlterModelOptions(
                name="conflict",
                options={
                    "default_permissions": ("view",),
                    "ordering": ("-created_at", "-pk"),
                    "permissions": (("decide_conflict", "Can decide conflicts"),),
                    "verbose_name": "conflict",
                    "verbose_name_plural": "conflicts",
                },
            ),
            migrations.AlterModelOptions(
                name="customfield",
                options={
                    "ordering": ("kind", "name"),
                    "verbose_name": "custom field",
                    "verbose_name_plural": "custom fields",
                },
            ),
            migrations.AlterModelOptions(
                name="download",
                options={
                    "default_permissions": ("view",),
                    "ordering": ("-pk",),
                    "verbose_name": "download",
                    "verbose_name_plural": "downloads",
                },
            ),
            migrations.AlterModelOptions(
                name="import",
                options={
                    "default_permissions": ("view",),
                    "ordering": ("-pk",),
                    "verbose_name": "import",
                    "verbose_name_plural": "imports",
                },
            ),
            migrations.AlterModelOptions(
                name="marketofield",
                options={
                    "default_permissions": ("view",),
                    "ordering": ("kind", "name"),
                    "verbose_name": "Marketo field",
                    "verbose_name_plural": "Marketo fields",
                },
            ),
            migrations.AlterModelOptions(
                name="opportunity",
                options={
                    "ordering": ("-pk",),
                    "permissions": (
                        ("import_opportunity", "Can import opportunities"),
                        ("export_opportunity", "Can export opportunities"),
                    ),
                    "verbose_name": "opportunity",
                    "verbose_name_plural": "opportunities",
                },
            ),
            migrations.AlterModelOptions(
                name="opportunitypersonrole",
                options={
                    "ordering": ("-pk",),
                    "permissions": (
                        ("import_opportunitypersonrole", "Can import opportunity person roles"),
                        ("export_opportunitypersonrole", "Can export opportunity person roles"),
                    ),
                    "verbose_name": "opportunity person role",
                    "verbose_name_plural": "opportunity person roles",
                },
            ),
            migrations.AlterModelOptions(
                name="personsettings",
                options={
                    "default_permissions": (),
                    "verbose_name": "person settings",
                    "verbose_name_plural": "person settings",
                },
            ),
            migrations.AlterModelOptions(
                name="program",
                options={
                    "ordering": ("name", "pk"),
                    "permissions": (
                        ("import_program", "Can import programs"),
                        ("export_program", "Can export programs"),
                    ),
                    "verbose_name": "program",
                    "verbose_name_plural": "programs",
                },
            ),
            migrations.AlterModelOptions(
                name="programcost",
                options={
                    "ordering": ("month", "pk"),
                    "permissions": (
                        ("import_programcost", "Can import period costs"),
                        ("export_programcost", "Can export period costs"),
                    ),
                    "verbose_name": "period cost",
                    "verbose_name_plural": "period costs",
                },
            ),
            migrations.AlterModelOptions(
                name="programtag",
                options={
                    "ordering": ("type", "pk"),
                    "permissions": (
                        ("import_programtag", "Can import program tags"),
                        ("export_programtag", "Can export program tags"),
                    ),
                    "verbose_name": "program tag",
                    "verbose_name_plural": "program tags",
                },
            ),
            migrations.AlterModelOptions(
                name="savedview",
                options={
                    "default_permissions": (),
                    "ordering": ("name", "pk"),
                    "permissions": (
                        ("share_view", "Can share saved views of lists with everybody, and delete shared ones"),
                    ),
                    "verbose_name": "saved view",
                    "verbose_name_plural": "saved views",
                },
            ),
            migrations.AlterModelOptions(
                name="schedule",
                options={"ordering": ("name",), "verbose_name": "schedule", "verbose_name_plural": "schedules"},
            ),
            migrations.AlterModelOptions(
                name="syncbatch",
                options={
                    "default_permissions": ("view",),
                    "ordering": ("job", "sequence", "attempt"),
                    "verbose_name": "sync batch",
                    "verbose_name_plural": "sync batches",
                },
            ),
            migrations.AlterModelOptions(
                name="syncjob",
                options={
                    "default_permissions": ("view",),
                    "ordering": ("-created_at", "-pk"),
                    "permissions": (
                        ("sync_records", "Can send records to Marketo"),
                        ("view_payload", "Can see requests and answers"),
                        ("test_connection", "Can test the connection"),
                        ("view_queue", "Can see the queue"),
                        ("pull_records", "Can read records, fields and tags from Marketo"),
                        ("delete_in_marketo", "Can delete opportunities and roles in Marketo"),
                    ),
                    "verbose_name": "sync job",
                    "verbose_name_plural": "sync jobs",
                },
            ),
            migrations.AlterModelOptions(
                name="syncresult",
                options={
                    "default_permissions": ("view",),
                    "ordering": ("pk",),
                    "verbose_name": "sync result",
                    "verbose_name_plural": "sync results",
                },
            ),
            migrations.AlterField(
                model_name="allowedtag",
                name="described_at",
                field=models.DateTimeField(verbose_name="described at"),
            ),
            migrations.AlterField(
                model_name="allowedtag",
                name="type",
                field=models.CharField(max_length=255, verbose_name="type"),
            ),
            migrations.AlterField(
                model_name="allowedtag",
                name="value",
                field=models.CharField(max_length=255, verbose_name="value"),
            ),
            migrations.AlterField(
                model_name="bulkdeletion",
                name="created_at",
                field=models.DateTimeField(auto_now_add=True, verbose_name="created at"),
            ),
            migrations.AlterField(
                model_name="bulkdeletion",
                name="state",
                field=models.CharField(
                    choices=[
                        ("asked", "Not confirmed"),
                        ("deleting", "Deleting"),
                        ("deleted", "Deleted"),
                        ("undoing", "Being undone"),
                        ("undone", "Undone"),
                    ],
                    default="asked",
                    max_length=8,
                    verbose_name="state",
                ),
            ),
            migrations.AlterField(
                model_name="conflict",
                name="created_at",
                field=models.DateTimeField(auto_now_add=True, verbose_name="created at"),
            ),
            migrations.AlterField(
                model_name="conflict",
                name="kind",
                field=models.CharField(
                    choices=[
                        ("Program", "Programs"),
                        ("Opportunity", "Opportunities"),
                        ("OpportunityPersonRole", "Opportunity person roles"),
                    ],
                    max_length=21,
                    verbose_name="kind",
                ),
            ),
            migrations.AlterField(
                model_name="conflict",
                name="reason",
                field=models.CharField(
                    choices=[
                        ("ambiguous", "Sent, and not clear what became of it"),
                        ("both", "Changed here and in Marketo"),
                    ],
                    max_length=9,
                    verbose_name="reason",
                ),
            ),
            migrations.AlterField(
                model_name="customfield",
                name="data_type",
                field=models.CharField(
                    choices=[
                        ("string", "string"),
                        ("integer", "integer"),
                        ("float", "float"),
                        ("currency", "currency"),
                        ("boolean", "boolean"),
                        ("date", "date"),
                        ("datetime", "datetime"),
                    ],
                    default="string",
                    max_length=8,
                    verbose_name="data type",
                ),
            ),
            migrations.AlterField(
                model_name="customfield",
                name="kind",
                field=models.CharField(
                    choices=[("Opportunity", "Opportunity"), ("OpportunityPersonRole", "Opportunity person role")],
                    default="Opportunity",
                    max_length=21,
                    verbose_name="kind",
                ),
            ),
            migrations.AlterField(
                model_name="customfield",
                name="label",
                field=models.CharField(
                    blank=True, help_text="Marketo's display name.", max_length=255, verbose_name="label"
                ),
            ),
            migrations.AlterField(
                model_name="customfield",
                name="size",
                field=models.PositiveIntegerField(
                    blank=True, help_text="Longest text, in characters.", null=True, verbose_name="size"
                ),
            ),
            migrations.AlterField(
                model_name="download",
                name="created_at",
                field=models.DateTimeField(auto_now_add=True, verbose_name="created at"),
            ),
            migrations.AlterField(
                model_name="download",
                name="format",
                field=models.CharField(max_length=4, verbose_name="format"),
            ),
            migrations.AlterField(
                model_name="download",
                name="kind",
                field=models.CharField(
                    blank=True,
                    choices=[
                        ("programs", "Programs"),
                        ("program-costs", "Period costs"),
                        ("program-tags", "Program tags"),
                        ("opportunities", "Opportunities"),
                        ("roles", "Opportunity person roles"),
                    ],
                    max_length=13,
                    verbose_name="kind",
                ),
            ),
            migrations.AlterField(
                model_name="download",
                name="rows",
                field=models.PositiveIntegerField(
                    blank=True, help_text="Empty if it was broken off.", null=True, verbose_name="rows"
                ),
            ),
            migrations.AlterField(
                model_name="download",
                name="source",
                field=models.CharField(
                    choices=[("admin", "Admin"), ("command", "Command line")],
                    default="admin",
                    max_length=8,
                    verbose_name="source",
                ),
            ),
            migrations.AlterField(
                model_name="download",
                name="what",
                field=models.CharField(
                    choices=[
                        ("export", "Export"),
                        ("original", "Uploaded file"),
                        ("errors", "Error file"),
                        ("history", "Sync history"),
                    ],
                    default="export",
                    max_length=8,
                    verbose_name="what",
                ),
            ),
            migrations.AlterField(
                model_name="earliercall",
                name="http_status",
                field=models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="http status"),
            ),
            migrations.AlterField(
                model_name="editcontext",
                name="source",
                field=models.CharField(max_length=16, verbose_name="source"),
            ),
            migrations.AlterField(
                model_name="import",
                name="created_at",
                field=models.DateTimeField(auto_now_add=True, verbose_name="created at"),
            ),
            migrations.AlterField(
                model_name="import",
                name="format",
                field=models.CharField(choices=[("csv", "CSV"), ("xlsx", "XLSX")], max_length=4, verbose_name="format"),
            ),
            migrations.AlterField(
                model_name="import",
                name="kind",
                field=models.CharField(
                    choices=[
                        ("programs", "Programs"),
                        ("program-costs", "Period costs"),
                        ("program-tags", "Program tags"),
                        ("opportunities", "Opportunities"),
                        ("roles", "Opportunity person roles"),
                    ],
                    max_length=13,
                    verbose_name="kind",
                ),
            ),
            migrations.AlterField(
                model_name="import",
                name="mode",
                field=models.CharField(
                    blank=True,
                    choices=[("valid", "Only the valid rows"), ("all", "All or nothing")],
                    max_length=5,
                    verbose_name="mode",
                ),
            ),
            migrations.AlterField(
                model_name="import",
                name="reason",
                field=models.TextField(blank=True, verbose_name="reason"),
            ),
            migrations.AlterField(
                model_name="import",
                name="rows",
                field=models.PositiveIntegerField(
                    default=0, help_text="Rows read so far by the check; all of them afterwards.", verbose_name="rows"
                ),
            ),
            migrations.AlterField(
                model_name="import",
                name="size",
                field=models.PositiveBigIntegerField(help_text="Bytes.", verbose_name="size"),
            ),
            migrations.AlterField(
                model_name="import",
                name="source",
                field=models.CharField(
                    choices=[("admin", "Admin"), ("command", "Command line")],
                    default="admin",
                    max_length=8,
                    verbose_name="source",
                ),
            ),
            migrations.AlterField(
                model_name="import",
                name="state",
                field=models.CharField(
                    choices=[
                        ("mapping", "Waits for its columns"),
                        ("checking", "Being checked"),
                        ("review", "Waits for review"),
                        ("committing", "Being written"),
                        ("committed", "Written"),
                        ("undoing", "Being undone"),
                        ("undone", "Undone"),
                        ("refused", "Refused"),
                        ("discarded", "Discarded"),
                    ],
                    default="mapping",
                    max_length=10,
                    verbose_name="state",
                ),
            ),
            migrations.AlterField(
                model_name="importfix",
                name="created_at",
                field=models.DateTimeField(auto_now_add=True, verbose_name="created at"),
            ),
            migrations.AlterField(
                model_name="instanceanswer",
                name="answer",
                field=models.TextField(verbose_name="answer"),
            ),
            migrations.AlterField(
                model_name="instanceanswer",
                name="asked_at",
                field=models.DateTimeField(verbose_name="asked at"),
            ),
            migrations.AlterField(
                model_name="instanceanswer",
                name="endpoint",
                field=models.CharField(max_length=255, verbose_name="endpoint"),
            ),
            migrations.AlterField(
                model_name="instanceanswer",
                name="fact",
                field=models.CharField(
                    blank=True,
                    help_text="What is gone by; empty if it was not found out.",
                    max_length=255,
                    verbose_name="fact",
                ),
            ),
            migrations.AlterField(
                model_name="instanceanswer",
                name="name",
                field=models.CharField(
                    help_text="Of the question; stays the same for ever.", max_length=50, verbose_name="name"
                ),
            ),
            migrations.AlterField(
                model_name="instanceanswer",
                name="question",
                field=models.CharField(max_length=255, verbose_name="question"),
            ),
            migrations.AlterField(
                model_name="marketofield",
                name="custom",
                field=models.BooleanField(default=False, verbose_name="custom"),
            ),
            migrations.AlterField(
                model_name="marketofield",
                name="described_at",
                field=models.DateTimeField(verbose_name="described at"),
            ),
            migrations.AlterField(
                model_name="marketofield",
                name="kind",
                field=models.CharField(
                    choices=[("Opportunity", "Opportunity"), ("OpportunityPersonRole", "Opportunity person role")],
                    max_length=21,
                    verbose_name="kind",
                ),
            ),
            migrations.AlterField(
                model_name="marketofield",
                name="label",
                field=models.CharField(blank=True, max_length=255, verbose_name="label"),
            ),
            migrations.AlterField(
                model_name="marketofield",
                name="read_only",
                field=models.BooleanField(default=False, verbose_name="read only"),
            ),
            migrations.AlterField(
                model_name="marketofield",
                name="size",
                field=models.PositiveIntegerField(blank=True, null=True, verbose_name="size"),
            ),
            migrations.AlterField(
                model_name="marketofield",
                name="type",
                field=models.CharField(max_length=50, verbose_name="type"),
            ),
            migrations.AlterField(
                model_name="opportunity",
                name="accepted",
                field=models.JSONField(
                    blank=True,
                    default=dict,
                    editable=False,
                    help_text="Values Marketo last accepted.",
                    verbose_name="accepted",
                ),
            ),
            migrations.AlterField(
                model_name="opportunity",
                name="amount",
                field=models.DecimalField(
                    blank=True, decimal_places=2, max_digits=15, null=True, verbose_name="amount"
                ),
            ),
            migrations.AlterField(
                model_name="opportunity",
                name="answered_revision",
                field=models.PositiveIntegerField(
                    default=0,
                    editable=False,
                    help_text="The revision that the last answer was about.",
                    verbose_name="answered revision",
                ),
            ),
            migrations.AlterField(
                model_name="opportunity",
                name="claimed_by",
                field=models.ForeignKey(
                    blank=True,
                    editable=False,
                    null=True,
                    on_delete=django.db.models.deletion.SET_NULL,
                    related_name="+",
                    to="mobjects.syncbatch",
                    verbose_name="claimed by",
                ),
            ),
            migrations.AlterField(
                model_name="opportunity",
                name="close_date",
                field=models.DateField(blank=True, null=True, verbose_name="close date"),
            ),
            migrations.AlterField(
                model_name="opportunity",
                name="company_key",
                field=mobjects.models.fields.MarketoCharField(
                    blank=True,
                    help_text="The company's external key. Give this or the company ID.",
                    max_length=255,
                    verbose_name="company key",
                ),
            ),
            migrations.AlterField(
                model_name="opportunity",
                name="created_at",
                field=models.DateTimeField(auto_now_add=True, verbose_name="created at"),
            ),
            migrations.AlterField(
                model_name="opportunity",
                name="custom_attributes",
                field=models.JSONField(blank=True, default=dict, verbose_name="custom attributes"),
            ),
            migrations.AlterField(
                model_name="opportunity",
                name="description",
                field=mobjects.models.fields.MarketoTextField(
                    blank=True, validators=[django.core.validators.MaxLengthValidator(2000)], verbose_name="description"
                ),
            ),
            migrations.AlterField(
                model_name="opportunity",
                name="expected_revenue",
                field=models.DecimalField(
                    blank=True, decimal_places=2, max_digits=15, null=True, verbose_name="expected revenue"
                ),
            ),
            migrations.AlterField(
                model_name="opportunity",
                name="external_created_date",
                field=models.DateTimeField(blank=True, null=True, verbose_name="external created date"),
            ),
            migrations.AlterField(
                model_name="opportunity",
                name="fiscal",
                field=mobjects.models.fields.MarketoCharField(blank=True, max_length=255, verbose_name="fiscal"),
            ),
            migrations.AlterField(
                model_name="opportunity",
                name="fiscal_quarter",
                field=models.PositiveSmallIntegerField(
                    blank=True,
                    help_text="1 to 4.",
                    null=True,
                    validators=[
                        django.core.validators.MinValueValidator(1),
                        django.core.validators.MaxValueValidator(4),
                    ],
                    verbose_name="fiscal quarter",
                ),
            ),
            migrations.AlterField(
                model_name="opportunity",
                name="fiscal_year",
                field=models.PositiveSmallIntegerField(
                    blank=True,
                    help_text="Four digits.",
                    null=True,
                    validators=[
                        django.core.validators.MinValueValidator(1900),
                        django.core.validators.MaxValueValidator(2999),
                    ],
                    verbose_name="fiscal year",
                ),
            ),
            migrations.AlterField(
                model_name="opportunity",
                name="forecast_category_name",
                field=mobjects.models.fields.MarketoCharField(
                    blank=True, max_length=255, verbose_name="forecast category name"
                ),
            ),
            migrations.AlterField(
                model_name="opportunity",
                name="in_marketo",
                field=models.JSONField(
                    blank=True,
                    default=dict,
                    editable=False,
                    help_text="What Marketo held when it was last read and what is not kept here, by name.",
                    verbose_name="in marketo",
                ),
            ),
            migrations.AlterField(
                model_name="opportunity",
                name="is_closed",
                field=models.BooleanField(blank=True, null=True, verbose_name="is closed"),
            ),
            migrations.AlterField(
                model_name="opportunity",
                name="is_won",
                field=models.BooleanField(blank=True, null=True, verbose_name="is won"),
            ),
            migrations.AlterField(
                model_name="opportunity",
                name="last_activity_date",
                field=models.DateField(blank=True, null=True, verbose_name="last activity date"),
            ),
            migrations.AlterField(
                model_name="opportunity",
                name="last_error",
                field=models.TextField(blank=True, editable=False, verbose_name="last error"),
            ),
            migrations.AlterField(
                model_name="opportunity",
                name="last_status",
                field=models.CharField(
                    blank=True,
                    choices=[
                        ("CREATED", "Created"),
                        ("UPDATED", "Updated"),
                        ("UNCHANGED", "Unchanged"),
                        ("SKIPPED", "Skipped"),
                        ("FAILED", "Failed"),
                        ("UNKNOWN", "Outcome unknown"),
                    ],
                    editable=False,
                    max_length=9,
                    verbose_name="last status",
                ),
            ),
            migrations.AlterField(
                model_name="opportunity",
                name="lead_source",
                field=mobjects.models.fields.MarketoCharField(blank=True, max_length=255, verbose_name="lead source"),
            ),
            migrations.AlterField(
                model_name="opportunity",
                name="modified_at",
                field=models.DateTimeField(auto_now=True, verbose_name="modified at"),
            ),
            migrations.AlterField(
                model_name="opportunity",
                name="name",
                field=mobjects.models.fields.MarketoCharField(max_length=255, verbose_name="name"),
            ),
            migrations.AlterField(
                model_name="opportunity",
                name="next_step",
                field=mobjects.models.fields.MarketoCharField(blank=True, max_length=255, verbose_name="next step"),
            ),
            migrations.AlterField(
                model_name="opportunity",
                name="probability",
                field=models.PositiveSmallIntegerField(
                    blank=True,
                    help_text="Percent, 0 to 100.",
                    null=True,
                    validators=[
                        django.core.validators.MinValueValidator(0),
                        django.core.validators.MaxValueValidator(100),
                    ],
                    verbose_name="probability",
                ),
            ),
            migrations.AlterField(
                model_name="opportunity",
                name="quantity",
                field=models.DecimalField(
                    blank=True, decimal_places=4, max_digits=15, null=True, verbose_name="quantity"
                ),
            ),
            migrations.AlterField(
                model_name="opportunity",
                name="revision",
                field=models.PositiveIntegerField(default=1, editable=False, verbose_name="revision"),
            ),
            migrations.AlterField(
                model_name="opportunity",
                name="stage",
                field=mobjects.models.fields.MarketoCharField(blank=True, max_length=255, verbose_name="stage"),
            ),
            migrations.AlterField(
                model_name="opportunity",
                name="state",
                field=models.GeneratedField(
                    db_persist=True,
                    expression=models.Case(
                        models.When(claimed_by__isnull=False, then=models.Value("in_batch")),
                        models.When(last_status="UNKNOWN", then=models.Value("unknown")),
                        models.When(revision__lte=models.F("synced_revision"), then=models.Value("synced")),
                        models.When(
                            models.Q(("last_status", "FAILED"), ("revision__gt", models.F("answered_revision"))),
                            then=models.Value("changed_failed"),
                        ),
                        models.When(models.Q(("last_status", "FAILED")), then=models.Value("failed")),
                        models.When(
                            models.Q(("last_status", "SKIPPED"), ("revision__gt", models.F("answered_revision"))),
                            then=models.Value("changed_skipped"),
                        ),
                        models.When(models.Q(("last_status", "SKIPPED")), then=models.Value("skipped")),
                        models.When(synced_revision=0, then=models.Value("never")),
                        default=models.Value("changed"),
                    ),
                    output_field=models.CharField(max_length=15),
                    verbose_name="state",
                ),
            ),
            migrations.AlterField(
                model_name="opportunity",
                name="synced_revision",
                field=models.PositiveIntegerField(default=0, editable=False, verbose_name="synced revision"),
            ),
            migrations.AlterField(
                model_name="opportunity",
                name="type",
                field=mobjects.models.fields.MarketoCharField(blank=True, max_length=255, verbose_name="type"),
            ),
            migrations.AlterField(
                model_name="opportunity",
                name="unknown_since",
                field=models.DateTimeField(
                    blank=True,
                    editable=False,
                    help_text="When it was sent without an answer, until that is settled.",
                    null=True,
                    verbose_name="unknown since",
                ),
            ),
            migrations.AlterField(
                model_name="opportunitypersonrole",
                name="accepted",
                field=models.JSONField(
                    blank=True,
                    default=dict,
                    editable=False,
                    help_text="Values Marketo last accepted.",
                    verbose_name="accepted",
                ),
            ),
            migrations.AlterField(
                model_name="opportunitypersonrole",
                name="answered_revision",
                field=models.PositiveIntegerField(
                    default=0,
                    editable=False,
                    help_text="The revision that the last answer was about.",
                    verbose_name="answered revision",
                ),
            ),
            migrations.AlterField(
                model_name="opportunitypersonrole",
                name="claimed_by",
                field=models.ForeignKey(
                    blank=True,
                    editable=False,
                    null=True,
                    on_delete=django.db.models.deletion.SET_NULL,
                    related_name="+",
                    to="mobjects.syncbatch",
                    verbose_name="claimed by",
                ),
            ),
            migrations.AlterField(
                model_name="opportunitypersonrole",
                name="created_at",
                field=models.DateTimeField(auto_now_add=True, verbose_name="created at"),
            ),
            migrations.AlterField(
                model_name="opportunitypersonrole",
                name="custom_attributes",
                field=models.JSONField(blank=True, default=dict, verbose_name="custom attributes"),
            ),
            migrations.AlterField(
                model_name="opportunitypersonrole",
                name="external_created_date",
                field=models.DateTimeField(blank=True, null=True, verbose_name="external created date"),
            ),
            migrations.AlterField(
                model_name="opportunitypersonrole",
                name="in_marketo",
                field=models.JSONField(
                    blank=True,
                    default=dict,
                    editable=False,
                    help_text="What Marketo held when it was last read and what is not kept here, by name.",
                    verbose_name="in marketo",
                ),
            ),
            migrations.AlterField(
                model_name="opportunitypersonrole",
                name="is_primary",
                field=models.BooleanField(blank=True, null=True, verbose_name="is primary"),
            ),
            migrations.AlterField(
                model_name="opportunitypersonrole",
                name="last_error",
                field=models.TextField(blank=True, editable=False, verbose_name="last error"),
            ),
            migrations.AlterField(
                model_name="opportunitypersonrole",
                name="last_status",
                field=models.CharField(
                    blank=True,
                    choices=[
                        ("CREATED", "Created"),
                        ("UPDATED", "Updated"),
                        ("UNCHANGED", "Unchanged"),
                        ("SKIPPED", "Skipped"),
                        ("FAILED", "Failed"),
                        ("UNKNOWN", "Outcome unknown"),
                    ],
                    editable=False,
                    max_length=9,
                    verbose_name="last status",
                ),
            ),
            migrations.AlterField(
                model_name="opportunitypersonrole",
                name="modified_at",
                field=models.DateTimeField(auto_now=True, verbose_name="modified at"),
            ),
            migrations.AlterField(
                model_name="opportunitypersonrole",
                name="opportunity",
                field=models.ForeignKey(
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="roles",
                    to="mobjects.opportunity",
                    verbose_name="opportunity",
                ),
            ),
            migrations.AlterField(
                model_name="opportunitypersonrole",
                name="person_key",
                field=mobjects.models.fields.MarketoCharField(
                    blank=True,
                    help_text="The person's external key. Give this or the person ID.",
                    max_length=255,
                    verbose_name="person key",
                ),
            ),
            migrations.AlterField(
                model_name="opportunitypersonrole",
                name="revision",
                field=models.PositiveIntegerField(default=1, editable=False, verbose_name="revision"),
            ),
            migrations.AlterField(
                model_name="opportunitypersonrole",
                name="role",
                field=mobjects.models.fields.MarketoCharField(blank=True, max_length=255, verbose_name="role"),
            ),
            migrations.AlterField(
                model_name="opportunitypersonrole",
                name="state",
                field=models.GeneratedField(
                    db_persist=True,
                    expression=models.Case(
                        models.When(claimed_by__isnull=False, then=models.Value("in_batch")),
                        models.When(last_status="UNKNOWN", then=models.Value("unknown")),
                        models.When(revision__lte=models.F("synced_revision"), then=models.Value("synced")),
                        models.When(
                            models.Q(("last_status", "FAILED"), ("revision__gt", models.F("answered_revision"))),
                            then=models.Value("changed_failed"),
                        ),
                        models.When(models.Q(("last_status", "FAILED")), then=models.Value("failed")),
                        models.When(
                            models.Q(("last_status", "SKIPPED"), ("revision__gt", models.F("answered_revision"))),
                            then=models.Value("changed_skipped"),
                        ),
                        models.When(models.Q(("last_status", "SKIPPED")), then=models.Value("skipped")),
                        models.When(synced_revision=0, then=models.Value("never")),
                        default=models.Value("changed"),
                    ),
                    output_field=models.CharField(max_length=15),
                    verbose_name="state",
                ),
            ),
            migrations.AlterField(
                model_name="opportunitypersonrole",
                name="synced_revision",
                field=models.PositiveIntegerField(default=0, editable=False, verbose_name="synced revision"),
            ),
            migrations.AlterField(
                model_name="opportunitypersonrole",
                name="unknown_since",
                field=models.DateTimeField(
                    blank=True,
                    editable=False,
                    help_text="When it was sent without an answer, until that is settled.",
                    null=True,
                    verbose_name="unknown since",
                ),
            ),
            migrations.AlterField(
                model_name="program",
                name="accepted",
                field=models.JSONField(
                    blank=True,
                    default=dict,
                    editable=False,
                    help_text="Values Marketo last accepted.",
                    verbose_name="accepted",
                ),
            ),
            migrations.AlterField(
                model_name="program",
                name="answered_revision",
                field=models.PositiveIntegerField(
                    default=0,
                    editable=False,
                    help_text="The revision that the last answer was about.",
                    verbose_name="answered revision",
                ),
            ),
            migrations.AlterField(
                model_name="program",
                name="channel",
                field=mobjects.models.fields.MarketoCharField(
                    blank=True,
                    help_text="Must exist in Marketo. Sent as the tag of type Channel.",
                    max_length=255,
                    verbose_name="channel",
                ),
            ),
            migrations.AlterField(
                model_name="program",
                name="claimed_by",
                field=models.ForeignKey(
                    blank=True,
                    editable=False,
                    null=True,
                    on_delete=django.db.models.deletion.SET_NULL,
                    related_name="+",
                    to="mobjects.syncbatch",
                    verbose_name="claimed by",
                ),
            ),
            migrations.AlterField(
                model_name="program",
                name="created_at",
                field=models.DateTimeField(auto_now_add=True, verbose_name="created at"),
            ),
            migrations.AlterField(
                model_name="program",
                name="in_marketo",
                field=models.JSONField(
                    blank=True,
                    default=dict,
                    editable=False,
                    help_text="What Marketo held when it was last read and what is not kept here, by name.",
                    verbose_name="in marketo",
                ),
            ),
            migrations.AlterField(
                model_name="program",
                name="last_error",
                field=models.TextField(blank=True, editable=False, verbose_name="last error"),
            ),
            migrations.AlterField(
                model_name="program",
                name="last_status",
                field=models.CharField(
                    blank=True,
                    choices=[
                        ("CREATED", "Created"),
                        ("UPDATED", "Updated"),
                        ("UNCHANGED", "Unchanged"),
                        ("SKIPPED", "Skipped"),
                        ("FAILED", "Failed"),
                        ("UNKNOWN", "Outcome unknown"),
                    ],
                    editable=False,
                    max_length=9,
                    verbose_name="last status",
                ),
            ),
            migrations.AlterField(
                model_name="program",
                name="modified_at",
                field=models.DateTimeField(auto_now=True, verbose_name="modified at"),
            ),
            migrations.AlterField(
                model_name="program",
                name="name",
                field=mobjects.models.fields.MarketoCharField(max_length=255, verbose_name="name"),
            ),
            migrations.AlterField(
                model_name="program",
                name="revision",
                field=models.PositiveIntegerField(default=1, editable=False, verbose_name="revision"),
            ),
            migrations.AlterField(
                model_name="program",
                name="state",
                field=models.GeneratedField(
                    db_persist=True,
                    expression=models.Case(
                        models.When(claimed_by__isnull=False, then=models.Value("in_batch")),
                        models.When(last_status="UNKNOWN", then=models.Value("unknown")),
                        models.When(revision__lte=models.F("synced_revision"), then=models.Value("synced")),
                        models.When(
                            models.Q(("last_status", "FAILED"), ("revision__gt", models.F("answered_revision"))),
                            then=models.Value("changed_failed"),
                        ),
                        models.When(models.Q(("last_status", "FAILED")), then=models.Value("failed")),
                        models.When(
                            models.Q(("last_status", "SKIPPED"), ("revision__gt", models.F("answered_revision"))),
                            then=models.Value("changed_skipped"),
                        ),
                        models.When(models.Q(("last_status", "SKIPPED")), then=models.Value("skipped")),
                        models.When(synced_revision=0, then=models.Value("never")),
                        default=models.Value("changed"),
                    ),
                    output_field=models.CharField(max_length=15),
                    verbose_name="state",
                ),
            ),
            migrations.AlterField(
                model_name="program",
                name="synced_revision",
                field=models.PositiveIntegerField(default=0, editable=False, verbose_name="synced revision"),
            ),
            migrations.AlterField(
                model_name="program",
                name="type",
                field=mobjects.models.fields.MarketoCharField(
                    blank=True,
                    help_text="For reference; the API cannot change it.",
                    max_length=255,
                    verbose_name="type",
                ),
            ),
            migrations.AlterField(
                model_name="program",
                name="unknown_since",
                field=models.DateTimeField(
                    blank=True,
                    editable=False,
                    help_text="When it was sent without an answer, until that is settled.",
                    null=True,
                    verbose_name="unknown since",
                ),
            ),
            migrations.AlterField(
                model_name="program",
                name="workspace",
                field=mobjects.models.fields.MarketoCharField(
                    blank=True,
                    help_text="For reference; the API cannot change it.",
                    max_length=255,
                    verbose_name="workspace",
                ),
            ),
            migrations.AlterField(
                model_name="programcost",
                name="amount",
                field=models.DecimalField(
                    decimal_places=2,
                    max_digits=15,
                    validators=[django.core.validators.MinValueValidator(0)],
                    verbose_name="amount",
                ),
            ),
            migrations.AlterField(
                model_name="programcost",
                name="month",
                field=models.DateField(
                    help_text="YYYY-MM", validators=[mobjects.models.fields.validate_month], verbose_name="month"
                ),
            ),
            migrations.AlterField(
                model_name="programcost",
                name="note",
                field=mobjects.models.fields.MarketoTextField(
                    blank=True, validators=[django.core.validators.MaxLengthValidator(2000)], verbose_name="note"
                ),
            ),
            migrations.AlterField(
                model_name="programcost",
                name="program",
                field=models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="costs",
                    to="mobjects.program",
                    verbose_name="program",
                ),
            ),
            migrations.AlterField(
                model_name="programtag",
                name="program",
                field=models.ForeignKey(
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="tags",
                    to="mobjects.program",
                    verbose_name="program",
                ),
            ),
            migrations.AlterField(
                model_name="programtag",
                name="type",
                field=mobjects.models.fields.MarketoCharField(
                    help_text="Must exist in Marketo.", max_length=255, verbose_name="type"
                ),
            ),
            migrations.AlterField(
                model_name="programtag",
                name="value",
                field=mobjects.models.fields.MarketoCharField(
                    help_text="Must exist in Marketo for this type.", max_length=255, verbose_name="value"
                ),
            ),
            migrations.AlterField(
                model_name="recordedit",
                name="created_at",
                field=models.DateTimeField(
                    default=django.utils.timezone.now, help_text="By the database's clock.", verbose_name="created at"
                ),
            ),
            migrations.AlterField(
                model_name="recordedit",
                name="kind",
                field=models.CharField(
                    choices=[
                        ("Program", "Programs"),
                        ("Opportunity", "Opportunities"),
                        ("OpportunityPersonRole", "Opportunity person roles"),
                    ],
                    max_length=21,
                    verbose_name="kind",
                ),
            ),
            migrations.AlterField(
                model_name="recordedit",
                name="source",
                field=models.CharField(
                    choices=[
                        ("form", "Form"),
                        ("grid", "Grid"),
                        ("bulk", "Bulk edit"),
                        ("import", "Import"),
                        ("import_undo", "Undo of an import"),
                        ("pull", "Pull"),
                        ("decision", "Decision"),
                        ("deleted", "Deleted here"),
                        ("restored", "Deletion undone"),
                        ("values", "Values restored"),
                        ("undo", "Sending undone"),
                        ("command", "Command line"),
                        ("api", "API"),
                        ("other", "Outside of these pages"),
                    ],
                    max_length=16,
                    verbose_name="source",
                ),
            ),
            migrations.AlterField(
                model_name="savedmapping",
                name="kind",
                field=models.CharField(
                    choices=[
                        ("programs", "Programs"),
                        ("program-costs", "Period costs"),
                        ("program-tags", "Program tags"),
                        ("opportunities", "Opportunities"),
                        ("roles", "Opportunity person roles"),
                    ],
                    max_length=13,
                    verbose_name="kind",
                ),
            ),
            migrations.AlterField(
                model_name="savedview",
                name="created_at",
                field=models.DateTimeField(auto_now_add=True, verbose_name="created at"),
            ),
            migrations.AlterField(
                model_name="schedule",
                name="action",
                field=models.CharField(
                    choices=[("send", "Send"), ("pull", "Pull"), ("compare", "Compare")],
                    default="send",
                    max_length=8,
                    verbose_name="action",
                ),
            ),
            migrations.AlterField(
                model_name="schedule",
                name="cron",
                field=models.CharField(
                    help_text="Minute, hour, day of month, month, day of week: 0 6 * * 1-5",
                    max_length=100,
                    verbose_name="cron",
                ),
            ),
            migrations.AlterField(
                model_name="schedule",
                name="enabled",
                field=models.BooleanField(default=True, verbose_name="enabled"),
            ),
            migrations.AlterField(
                model_name="schedule",
                name="kinds",
                field=models.JSONField(default=list, help_text="Marketo's names of the kinds.", verbose_name="kinds"),
            ),
            migrations.AlterField(
                model_name="schedule",
                name="last_at",
                field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="last at"),
            ),
            migrations.AlterField(
                model_name="schedule",
                name="last_job",
                field=models.ForeignKey(
                    blank=True,
                    editable=False,
                    null=True,
                    on_delete=django.db.models.deletion.SET_NULL,
                    related_name="+",
                    to="mobjects.syncjob",
                    verbose_name="last job",
                ),
            ),
            migrations.AlterField(
                model_name="schedule",
                name="missed",
                field=models.PositiveIntegerField(
                    default=0, editable=False, help_text="Runs that were due and did not start.", verbose_name="missed"
                ),
            ),
            migrations.AlterField(
                model_name="schedule",
                name="missed_text",
                field=models.TextField(blank=True, editable=False, verbose_name="missed text"),
            ),
            migrations.AlterField(
                model_name="schedule",
                name="name",
                field=models.CharField(max_length=100, unique=True, verbose_name="name"),
            ),
            migrations.AlterField(
                model_name="schedule",
                name="next_at",
                field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="next at"),
            ),
            migrations.AlterField(
                model_name="schedule",
                name="operation",
                field=models.CharField(
                    choices=[("AUTO", "Automatic"), ("INSERT", "INSERT"), ("UPDATE", "UPDATE"), ("UPSERT", "UPSERT")],
                    default="AUTO",
                    max_length=6,
                    verbose_name="operation",
                ),
            ),
            migrations.AlterField(
                model_name="schedule",
                name="owner",
                field=models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.SET_NULL,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="owner",
                ),
            ),
            migrations.AlterField(
                model_name="schedule",
                name="quiet_from",
                field=models.TimeField(
                    blank=True, help_text="Nothing is started from then…", null=True, verbose_name="quiet from"
                ),
            ),
            migrations.AlterField(
                model_name="schedule",
                name="quiet_until",
                field=models.TimeField(
                    blank=True, help_text="…until then, in the same time zone.", null=True, verbose_name="quiet until"
                ),
            ),
            migrations.AlterField(
                model_name="schedule",
                name="time_zone",
                field=models.CharField(default="UTC", max_length=50, verbose_name="time zone"),
            ),
            migrations.AlterField(
                model_name="syncbatch",
                name="created_at",
                field=models.DateTimeField(auto_now_add=True, verbose_name="created at"),
            ),
            migrations.AlterField(
                model_name="syncbatch",
                name="http_status",
                field=models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="http status"),
            ),
            migrations.AlterField(
                model_name="syncbatch",
                name="kind",
                field=models.CharField(
                    choices=[
                        ("Program", "Programs"),
                        ("Opportunity", "Opportunities"),
                        ("OpportunityPersonRole", "Opportunity person roles"),
                    ],
                    max_length=21,
                    verbose_name="kind",
                ),
            ),
            migrations.AlterField(
                model_name="syncbatch",
                name="operation",
                field=models.CharField(
                    choices=[
                        ("INSERT", "INSERT"),
                        ("UPDATE", "UPDATE"),
                        ("UPSERT", "UPSERT"),
                        ("GET", "GET"),
                        ("DELETE", "DELETE"),
                        ("DESCRIBE", "DESCRIBE"),
                    ],
                    max_length=8,
                    verbose_name="operation",
                ),
            ),
            migrations.AlterField(
                model_name="syncbatch",
                name="size",
                field=models.PositiveSmallIntegerField(default=0, verbose_name="size"),
            ),
            migrations.AlterField(
                model_name="syncbatch",
                name="state",
                field=models.CharField(
                    choices=[
                        ("waiting", "Waiting to be sent"),
                        ("sending", "Sending"),
                        ("answered", "Answered"),
                        ("refused", "Refused, nothing applied"),
                        ("not_sent", "Not applied"),
                        ("unknown", "Outcome unknown"),
                        ("planned", "Would be sent"),
                    ],
                    default="sending",
                    max_length=8,
                    verbose_name="state",
                ),
            ),
            migrations.AlterField(
                model_name="syncjob",
                name="action",
                field=models.CharField(
                    choices=[
                        ("send", "Send"),
                        ("pull", "Pull"),
                        ("compare", "Compare"),
                        ("describe", "Read fields and tags"),
                        ("delete", "Delete in Marketo"),
                        ("identify", "Look up IDs"),
                        ("dry_run", "Dry run"),
                        ("undo", "Undo of a sending"),
                    ],
                    default="send",
                    max_length=8,
                    verbose_name="action",
                ),
            ),
            migrations.AlterField(
                model_name="syncjob",
                name="created_at",
                field=models.DateTimeField(auto_now_add=True, verbose_name="created at"),
            ),
            migrations.AlterField(
                model_name="syncjob",
                name="kind",
                field=models.CharField(
                    choices=[
                        ("Program", "Programs"),
                        ("Opportunity", "Opportunities"),
                        ("OpportunityPersonRole", "Opportunity person roles"),
                        ("several", "Several kinds"),
                    ],
                    max_length=21,
                    verbose_name="kind",
                ),
            ),
            migrations.AlterField(
                model_name="syncjob",
                name="operation",
                field=models.CharField(
                    choices=[("AUTO", "Automatic"), ("INSERT", "INSERT"), ("UPDATE", "UPDATE"), ("UPSERT", "UPSERT")],
                    default="AUTO",
                    max_length=6,
                    verbose_name="operation",
                ),
            ),
            migrations.AlterField(
                model_name="syncjob",
                name="reason",
                field=models.TextField(blank=True, verbose_name="reason"),
            ),
            migrations.AlterField(
                model_name="syncjob",
                name="source",
                field=models.CharField(
                    choices=[("admin", "Admin"), ("command", "Command line"), ("schedule", "Schedule")],
                    default="admin",
                    max_length=8,
                    verbose_name="source",
                ),
            ),
            migrations.AlterField(
                model_name="syncjob",
                name="state",
                field=models.CharField(
                    choices=[
                        ("not_queued", "Not queued"),
                        ("queued", "Queued"),
                        ("running", "Running"),
                        ("waiting", "Waiting"),
                        ("paused", "Paused"),
                        ("cancelled", "Cancelled"),
                        ("succeeded", "Finished"),
                        ("problems", "Finished with problems"),
                        ("stopped", "Stopped"),
                        ("crashed", "Crashed"),
                    ],
                    default="not_queued",
                    max_length=10,
                    verbose_name="state",
                ),
            ),
            migrations.AlterField(
                model_name="syncresult",
                name="created_at",
                field=models.DateTimeField(auto_now_add=True, verbose_name="created at"),
            ),
            migrations.AlterField(
                model_name="syncresult",
                name="error",
                field=models.TextField(blank=True, verbose_name="error"),
            ),
            migrations.AlterField(
                model_name="syncresult",
                name="kind",
                field=models.CharField(
                    choices=[
                        ("Program", "Programs"),
                        ("Opportunity", "Opportunities"),
                        ("OpportunityPersonRole", "Opportunity person roles"),
                    ],
                    max_length=21,
                    verbose_name="kind",
                ),
            ),
            migrations.AlterField(
                model_name="syncresult",
                name="status",
                field=models.CharField(
                    choices=[
                        ("PENDING", "In a batch"),
                        ("CREATED", "Created"),
                        ("UPDATED", "Updated"),
                        ("UNCHANGED", "Unchanged"),
                        ("SKIPPED", "Skipped"),
                        ("FAILED", "Failed"),
                        ("UNKNOWN", "Outcome unknown"),
                        ("HELD", "Held back"),
                        ("EQUAL", "Nothing to send"),
                        ("NOT_SENT", "Not applied"),
                        ("RETRIED", "Tried again"),
                        ("LOOKED_UP", "Looked up"),
                        ("DELETED", "Deleted in Marketo"),
                        ("ADDED", "New here"),
                        ("TAKEN", "Taken from Marketo"),
                        ("SAME", "No difference"),
                        ("DIFFERS", "Differs from Marketo"),
                        ("MISSING", "Not in Marketo"),
                        ("CONFLICT", "Needs a decision"),
                        ("PLANNED", "Would be sent"),
                        ("RESTORED", "Old values put back here"),
                    ],
                    default="PENDING",
                    max_length=9,
                    verbose_name="status",
                ),
            ),
        )
    ]
