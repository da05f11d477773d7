"""Bodies are looked at before they are read: by who sends them, where to, and how long they say that they are."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import time

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLResolver, get_resolver

from mobjects.local.ports import find_free_port
from mobjects.views.uploads import find_upload_rule
from tests import factories
from tests.files import ROOT, project_files
from tests.views import pages

MB = 1_000_000
FORM = "multipart/form-data; boundary=x"


class UnreadBody:
    """A body that must not be read."""

    def read(self, *args: object) -> bytes:
        raise AssertionError("the body was read")

    readline = read


def send(browser: Client, address: str, length: object, **more: object):
    """A form with a body of a length that is only said."""
    asked = {"REQUEST_METHOD": "POST", "PATH_INFO": address, "CONTENT_TYPE": FORM, "CONTENT_LENGTH": str(length)}
    return browser.request(**asked, **{"wsgi.input": UnreadBody(), **more})


@pytest.mark.parametrize("address", ["/admin/imports/new/", "/admin/pull/", "/admin/sync/", "/admin/"])
def test_a_stranger_is_led_to_the_login_page_unread(db, address):
    response = send(Client(), address, 40 * MB)
    assert (response.status_code, response.url.partition("?")[0]) == (302, "/admin/login/")


def test_a_stranger_cannot_send_much_to_the_login_page_either(db):
    response = send(Client(), "/admin/login/", 64_001)
    assert response.status_code == 413
    assert "It is longer than the 0.064 MB that are read here. Nothing was saved." in pages.text(response)


@pytest.mark.parametrize("address", ["/admin/imports/new/", "/admin/pull/"])
def test_without_the_right_to_it_a_large_file_is_not_read(groups, address):
    response = send(pages.client("viewer"), address, 40 * MB)
    assert response.status_code == 403
    assert "You are not allowed to do this" in pages.text(response)


@pytest.mark.parametrize("address", ["/admin/sync/", "/admin/mobjects/program/add/", "/admin/connection/"])
def test_where_no_file_is_taken_nothing_large_is_read(groups, address):
    response = send(pages.client("operator"), address, 3 * MB)
    assert response.status_code == 413
    assert "It is longer than the 2.62 MB that are read here." in pages.text(response)


def test_a_file_is_read_up_to_the_limit_of_imports(groups, settings):
    settings.IMPORT_MAX_MB = 5
    assert send(pages.client("editor"), "/admin/imports/new/", 6 * MB + 1).status_code == 413
    with pytest.raises(AssertionError, match="the body was read"):
        send(Client(), "/admin/login/", 64_000, HTTP_X_CSRFTOKEN="x", HTTP_COOKIE="csrftoken=" + 32 * "x")


def test_whoever_may_import_sends_a_large_file(groups):
    data = b"External ID,Name\r\n" + b"A,%s\r\n" % (b"x" * 100) * 30_000
    with_file = {"kind": "opportunities", "file": SimpleUploadedFile("deals.csv", data)}
    response = pages.client("editor").post("/admin/imports/new/", with_file)
    assert (response.status_code, response.url.startswith("/admin/imports/")) == (302, True)


@pytest.mark.parametrize("length", ["-1", "x", "1_0", "٣"])
def test_a_length_that_is_none_is_refused(db, length):
    response = send(Client(), "/admin/login/", length)
    assert response.status_code == 411
    assert "It does not say how long it is." in pages.text(response)


def test_a_body_without_a_length_is_refused(groups):
    response = send(pages.client("operator"), "/admin/imports/new/", "", HTTP_TRANSFER_ENCODING="gzip, Chunked")
    assert response.status_code == 411


def test_a_short_form_is_read_as_ever(db):
    factories.user("alice")
    response = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "alice", "password": "secret"})
    assert response.status_code == 403
    response = Client().post("/admin/login/", {"username": "alice", "password": "secret"})
    assert response.status_code == 302


def callbacks(patterns):
    for pattern in patterns:
        yield from callbacks(pattern.url_patterns) if isinstance(pattern, URLResolver) else [pattern.callback]


def test_every_view_that_reads_files_says_who_may_send_them():
    folder = ROOT / "mobjects/views"
    readers = {path for path in project_files(".py") if folder in path.parents and "request.FILES" in path.read_text()}
    # Of whatever view, this tells one press of a button from another.
    readers.remove(folder / "pressed_once.py")
    takers = [view for view in callbacks(get_resolver().url_patterns) if find_upload_rule(view)]
    ours = [view for view in takers if view.__module__.startswith("mobjects.")]
    assert {sys.modules[view.__module__].__file__ for view in ours} == {str(path) for path in readers}
    # All addresses of the API are one class's of django-ninja; those that take a file say so in their arguments.
    code = [path.read_text() for path in project_files(".py") if ROOT / "mobjects/api" in path.parents]
    assert len(takers) - len(ours) == sum(text.count("File[UploadedFile]") for text in code) > 0
    assert all(find_upload_rule(view).permissions for view in takers)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A real server, whose database is never asked: strangers have no session."""
    folder, port = tmp_path_factory.mktemp("server"), find_free_port()
    values = {**os.environ, "DJANGO_SETTINGS_MODULE": "marketo_admin.settings_test"}
    values |= {"DATABASE_URL": f"sqlite:///{folder}/db.sqlite3"}
    command = [sys.executable, "-m", "gunicorn", "marketo_admin.wsgi", "--bind", f"127.0.0.1:{port}", "--threads", "2"]
    with subprocess.Popen(
        [*command, "--no-control-socket"], cwd=ROOT, env=values, stderr=subprocess.DEVNULL
    ) as process:
        until = time.monotonic() + 40
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert process.poll() is None
        yield port
        process.terminate()


@pytest.mark.processes
@pytest.mark.parametrize(("header", "status"), [("Content-Length: 40000000", 302), ("Transfer-Encoding: chunked", 411)])
def test_a_real_server_answers_before_the_body_and_reads_no_more_of_it(server, header, status):
    head = f"POST /admin/imports/new/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FORM}\r\n{header}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server), 30) as connection:
        connection.sendall(head.encode())
        answer = connection.recv(65_536)  # before a byte of the body was sent
        assert re.match(rb"HTTP/1.1 %d " % status, answer)
        sent = 0
        with contextlib.suppress(OSError):  # It closes the connection.
            while sent < 40 * MB:
                sent += connection.send(b"x" * 65_536)
        # What the buffers of the two sockets hold at most, and the little that the server reads away.
        assert sent < 16 * MB
