"""What becomes of the indents of templates on their way into pages."""

from __future__ import annotations

import pytest
from django.template.loader import get_template
from django.test import Client

from marketo_admin.theme.templates import without_indents
from tests import factories

ROWS = 50
MOST_BYTES = 120_000


@pytest.mark.parametrize(
    ("source", "sent"),
    [
        ("<ul>\n    <li>one</li>\n\n    <li>two  words</li>\n</ul>", "<ul>\n<li>one</li>\n<li>two  words</li>\n</ul>"),
        (
            "<p>\n  <pre class=a>\n  as it is\n    so</pre>\n  </p>",
            "<p>\n<pre class=a>\n  as it is\n    so</pre>\n</p>",
        ),
        ("\n  <textarea>\n  kept\n</textarea>\n  ", "\n<textarea>\n  kept\n</textarea>\n"),
        ("{% if a %}\n  b\n{% endif %}", "{% if a %}\nb\n{% endif %}"),
        (
            "{% blocktranslate %}one\n  text{% endblocktranslate %}\n  <b>",
            "{% blocktranslate %}one\n  text{% endblocktranslate %}\n<b>",
        ),
        ("{% blocktrans %}\n a\n{% endblocktrans %}", "{% blocktrans %}\n a\n{% endblocktrans %}"),
    ],
)
def test_runs_of_spaces_with_a_new_line_become_one_new_line(source: str, sent: str) -> None:
    assert without_indents(source) == sent


def test_templates_of_pages_are_read_so_and_those_of_letters_as_they_are() -> None:
    page = get_template("mobjects/lists/rows.html").template.source  # type: ignore[attr-defined]
    letter = get_template("socialaccount/email/account_connected_message.txt").template.source  # type: ignore[attr-defined]

    assert "<table" in page
    assert "\n  " not in page
    assert "\n\n" in letter


@pytest.mark.django_db
def test_a_list_of_fifty_rows_stays_small(admin_client: Client) -> None:
    for _ in range(ROWS):
        factories.opportunity()

    answer = admin_client.get("/admin/mobjects/opportunity/")

    assert answer.content.count(b'class="action-select"') == ROWS
    assert len(answer.content) < MOST_BYTES
