"""Nothing of the machine on which the project was written gets into its files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.files import ROOT, project_files

# Put together here, so that this file passes its own test.
INDEX_HOSTS = tuple(
    ".".join(parts)
    for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("anaconda", "org"), ("jfrog", "io"))
)
INDEX_OPTIONS = ("--index-url", "--extra-index-url", "--find-links", "--trusted-host", "://")
LOCKS = ("runtime.txt", "dev.txt", "server.txt", "server-source.txt", "uv.txt")


def text_of(path):
    return path.read_bytes().decode("utf-8", errors="replace")


def machine_paths():
    """This checkout and the home folder, where they are no names that could stand in any text."""
    places = {ROOT, Path.home()}
    return [re.compile(r"(?<![\w.])" + re.escape(str(place)) + r"(/|\b)") for place in places if str(place) != "/"]


@pytest.mark.parametrize("host", INDEX_HOSTS)
def test_no_file_names_a_package_index(host):
    assert [str(path.relative_to(ROOT)) for path in project_files() if host in text_of(path)] == []


def test_no_file_names_a_path_of_this_machine():
    found = [
        str(path.relative_to(ROOT))
        for path in project_files()
        for place in machine_paths()
        if place.search(text_of(path))
    ]
    assert found == []


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_carries_no_address(name):
    text = text_of(ROOT / "requirements" / name)
    assert [option for option in INDEX_OPTIONS if option in text] == []


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_is_pinned_with_a_hash(name):
    entries = re.split(r"\n(?=\S)", text_of(ROOT / "requirements" / name).strip())
    assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []


def test_what_tests_need_holds_what_production_needs():
    pins = [set(re.findall(r"^\S+==\S+", text_of(ROOT / "requirements" / name), re.MULTILINE)) for name in LOCKS[:2]]
    assert pins[0] <= pins[1]
