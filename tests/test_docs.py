"""What exists is documented, and what is documented exists."""

from __future__ import annotations

import re

import pytest

from mobjects.marketo.registry import TRANSPORTS
from tests.files import ROOT, project_files

READ = re.compile(r'env\.(\w+)\(\s*"([A-Z_]+)"')
COMMANDS = sorted(path.stem for path in (ROOT / "mobjects/management/commands").glob("*.py") if path.stem != "__init__")


def text_of(name):
    return (ROOT / name).read_text(encoding="utf-8")


def documents():
    return [path for path in project_files(".md") if path.name == "README.md" or "docs" in path.parts]


def variables_read():
    names = {"DJANGO_ENV_FILE"}
    for reader, name in READ.findall(text_of("marketo_admin/settings.py")):
        names |= {name, f"{name}_FILE"} if reader in ("secret", "https_url") else {name}
    settings = [setting for entry in TRANSPORTS.values() for setting in entry.settings]
    return names.union(*(setting.variables for setting in settings))


def test_every_variable_is_documented_and_every_documented_one_is_read():
    assert set(re.findall(r"^\| `([A-Z_]+)`", text_of("docs/settings.md"), re.MULTILINE)) == variables_read()


def test_every_variable_stands_in_the_example_file():
    assert set(re.findall(r"^(?:# )?([A-Z_]+)=", text_of(".env.example"), re.MULTILINE)) == variables_read()


def test_every_system_check_is_documented():
    text = text_of("mobjects/checks.py") + text_of("mobjects/marketo/transport_entry.py")
    declared = set(re.findall(r'"(mobjects\.[EW]\d{3})"', text))
    assert declared == set(re.findall(r"^\| `(mobjects\.[EW]\d{3})`", text_of("docs/settings.md"), re.MULTILINE))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented(command):
    assert any(f"manage.py {command}" in path.read_text(encoding="utf-8") for path in documents())


@pytest.mark.parametrize("path", project_files(".md"), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_to_a_file_leads_to_one(path):
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (path.parent / link).exists()] == []


def code_files():
    return [str(path.relative_to(ROOT)) for path in project_files(".py")]


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_that_is_named_exists(path):
    named = set(re.findall(r"`([\w/]+/\w+\.py)`", path.read_text(encoding="utf-8")))
    assert [
        name for name in sorted(named) if not any(file.endswith(f"/{name}") or file == name for file in code_files())
    ] == []


def test_the_fault_matrix_can_be_read_in_one_go():
    assert len((ROOT / "docs" / "fault-matrix.md").read_text(encoding="utf-8").splitlines()) < 350


def test_every_decision_has_a_number_of_its_own_and_begins_with_it():
    names = sorted(path.name for path in project_files(".md") if path.parent.name == "decisions")
    numbers = [int(name[:4]) for name in names]
    assert len(numbers) > 50
    assert [number for number in numbers if numbers.count(number) > 1] == []
    assert [name for name in names if not text_of(f"docs/decisions/{name}").startswith(f"# {int(name[:4])}. ")] == []
