"""The server around it: ports, keep-alive, the command line, the seed, standing alone."""

import ast
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest
import requests

import mobjects.sandbox
from mobjects.sandbox import CLIENT_ID, SandboxServer
from mobjects.sandbox.cli import main
from tests.sandbox.wire import Wire, opportunity

ROOT = Path(__file__).parents[2]
ALLOWED = set(sys.stdlib_module_names) | {"lxml"}


def test_connection_is_kept_alive(sandbox):
    with closing(HTTPConnection(sandbox.url.removeprefix("http://"), timeout=5)) as connection:
        connection.connect()
        first = connection.sock
        for _ in range(3):
            connection.request("GET", "/style.css")
            assert connection.getresponse().read()
            assert connection.sock is first


def test_body_of_unknown_length_is_refused(sandbox):
    answer = requests.post(sandbox.endpoint, data=iter([b"x"]), timeout=5)
    assert answer.status_code == 411


def test_too_long_a_body_is_refused(sandbox):
    with socket.create_connection(("127.0.0.1", int(sandbox.url.rsplit(":", 1)[1])), 5) as line:
        line.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99000000\r\n\r\n")
        assert b" 413 " in line.recv(100)


def test_parallel_inserts_get_ids_of_their_own(sandbox, wire):
    with ThreadPoolExecutor(8) as pool:
        rows = [
            row
            for answer in pool.map(lambda n: wire.sync("INSERT", opportunity(Name=str(n))), range(24))
            for row in answer
        ]
    assert len({row.id for row in rows}) == 24
    assert len(sandbox.store.opportunities) == 24


def test_two_sandboxes_share_nothing():
    with SandboxServer(port=0) as one, SandboxServer(port=0, seed=False) as two:
        Wire(one).sync("INSERT", opportunity(Name="x"))
        assert len(one.store.opportunities) == 1
        assert two.store.opportunities == {}
        assert two.store.programs == {}


def test_closing_frees_the_port_though_a_connection_is_open():
    with requests.Session() as session:
        with SandboxServer(port=0) as server:
            session.get(server.url, timeout=5)
            port = int(server.url.rsplit(":", 1)[1])
        with SandboxServer(port=port) as again:
            assert again.url == server.url


def test_taken_port_is_told_in_words(sandbox, capsys):
    port = sandbox.url.rsplit(":", 1)[1]
    assert main(["--port", port]) == 2
    assert f"cannot listen on 127.0.0.1:{port}" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["x", "-1", "65536"])
def test_bad_port_is_refused(port, capsys):
    with pytest.raises(SystemExit):
        main(["--port", port])
    assert "is not a port" in capsys.readouterr().err


def test_it_runs_as_a_module_and_stops_when_told():
    command = [sys.executable, "-m", "mobjects.sandbox", "--port", "0", "--no-seed", "--user-id", "me"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        url = next(word for word in line.split() if word.startswith("http"))
        assert requests.get(f"{url}_control/state", timeout=5).json()["counts"]["programs"] == 0
        words = process.stdout.readline().split()
        assert (words[2], words[4], words[-1]) == (f"{url}rest", f"{url}identity", CLIENT_ID)
        process.terminate()
        _, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (0, "")


def test_seed_is_the_same_every_time():
    with SandboxServer(port=0) as one, SandboxServer(port=0) as two:
        assert one.store.programs == two.store.programs
        assert sorted(one.store.programs) == list(range(1001, 1041))
        assert len({program.name for program in one.store.programs.values()}) == 40
        assert (len(one.store.persons), len(one.store.companies)) == (500, 60)
        assert one.store.persons[1].values["ExternalPersonId"] == "P-0001"
        assert one.store.companies[60].values["ExternalCompanyId"] == "C-0060"


def test_seeded_tags_and_channels_are_among_the_defined_ones(sandbox):
    store = sandbox.store
    for program in store.programs.values():
        assert program.channel in store.channels
        assert all(value in store.tags[kind] for kind, value in program.tags.items())


def test_it_imports_nothing_but_the_standard_library_lxml_and_itself():
    for path in Path(mobjects.sandbox.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert name.split(".")[0] in ALLOWED or name.split(".")[:2] == ["mobjects", "sandbox"], (path, name)
