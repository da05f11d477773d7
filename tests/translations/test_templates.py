"""A template says nothing to people that is not asked of the catalogue."""

from __future__ import annotations

import re

import pytest

from tests.files import ROOT, project_files

TEMPLATES = [path for path in project_files(".html") if path.is_relative_to(ROOT / "templates")]
NAMES = frozenset({"CSV", "Excel", "JSON", "Ctrl", "Ctrl K", "SHA-256", "HTTP", "GUID", "Marketo", "· Marketo Admin"})
"""What is called so in every language."""
CODES = frozenset({"no,yes"})
"""Values of hidden inputs."""
ICONS = frozenset({"chevron_right", "manage_search", "error", "person_alert"})
"""Names of pictures in the theme's font."""

_NOT_SHOWN = re.compile(
    r"\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}|<!--.*?-->|<(style|script)\b.*?</\1>"
    r"|\{% blocktrans(?:late)?\b.*?\{% endblocktrans(?:late)? %\}",
    re.DOTALL,
)
_CODE = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_TAG = re.compile(r"<[^<>]*>", re.DOTALL)
_SPOKEN = re.compile(
    r'\b(?:title|aria-label|placeholder|alt|data-label|data-done|data-failed|data-key-words)="([^"]*)"'
)
_DEFAULT = re.compile(r'\|(?:default|default_if_none|yesno):"([^"]*)"')


def untranslated(source: str) -> list[str]:
    """The texts of a template that people see or hear and that no catalogue is asked for."""
    # Code goes first: a text that is asked for stands in it, and so may what would look like a tag.
    plain = _CODE.sub("\0", _NOT_SHOWN.sub("\0", source))
    said = [
        *re.split("\0", _TAG.sub("\0", plain)),
        *(part for text in _SPOKEN.findall(plain) for part in text.split("\0")),
    ]
    defaults = [text for code in _CODE.findall(_NOT_SHOWN.sub("", source)) for text in _DEFAULT.findall(code)]
    texts = [" ".join(text.replace("&nbsp;", " ").split()) for text in [*said, *defaults]]
    return [text for text in texts if re.search("[A-Za-z]{2}", text) and text not in NAMES | ICONS | CODES]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_every_text_is_asked_of_the_catalogue(path):
    assert untranslated(path.read_text()) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("<p>Hello</p>", ["Hello"]),
        ("<p>{{ count }} rows</p>", ["rows"]),
        ('<p>{% translate "Hello" %}</p>', []),
        ("{% blocktranslate %}Hello {{ name }}{% endblocktranslate %}", []),
        ('<a title="Hello" href="/path">CSV</a>', ["Hello"]),
        ("""<a aria-label="{% translate "Hello" %}">…</a>""", []),
        ('{{ name|default:"nobody" }}', ["nobody"]),
        ('{{ name|default:_("nobody") }}', []),
        ("{# Hello #}<style>p { color: red; }</style>", []),
    ],
)
def test_this_test_finds_what_is_not_asked_for(source, found):
    assert untranslated(source) == found
