"""Where the formats of a file are kept: with its import, and with its headers for the next file that has them."""

from __future__ import annotations

from mobjects.imports import column_mapping
from mobjects.imports.formats.evidence import FileFormats
from mobjects.imports.formats.findings import describe_formats, kept_findings
from mobjects.imports.formats.questions import clean_answers
from mobjects.models import Import, SavedMapping


def load_formats(imported: Import) -> FileFormats:
    """What is known of a file's formats before it is read."""
    saved = column_mapping.find_saved_mapping(imported.kind, imported.headers)
    # What the file itself was read as goes before what another file has taught since.
    earlier = {
        **(saved.formats if saved else {}),
        **kept_findings(imported.correction_of.format_findings if imported.correction_of else ()),
        **kept_findings(imported.format_findings),
    }
    return FileFormats(clean_answers(imported.formats), clean_answers(earlier))


def save_findings(imported: Import, formats: FileFormats) -> None:
    """Keep what a whole file told about its formats."""
    imported.format_findings = describe_formats(formats)
    Import.objects.filter(pk=imported.pk).update(format_findings=imported.format_findings)


def teach_answers(imported: Import) -> None:
    """Keep the answers for the next file with the same headers.

    Of a file that was written only: one that was looked at and thrown away, or only tried, may be a wrong file, and its
    answers would turn the days and months of the next one.
    """
    saved = column_mapping.find_saved_mapping(imported.kind, imported.headers)
    answers = kept_findings(imported.format_findings)
    if saved is not None and not answers.items() <= saved.formats.items():
        SavedMapping.objects.filter(pk=saved.pk).update(formats={**saved.formats, **answers})
