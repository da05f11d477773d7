"""The embedded Redis: found, started on loopback with an append-only file, announced."""

from __future__ import annotations

import os
import socket
import stat

import pytest
from redis import Redis

from mobjects.local import redis_server
from mobjects.local.ports import find_free_port
from mobjects.local.supervisor import Supervisor


@pytest.fixture
def serve(tmp_path):
    folder = tmp_path / "data"

    def start(supervisor):
        port = find_free_port()
        url = redis_server.server_url(port)
        command = redis_server.build_command(redis_server.find_program(), port, folder)
        supervisor.start_child("redis", command, lambda: redis_server.is_answering(url))
        return url

    return start


def supervise(tmp_path):
    return Supervisor(tmp_path / "log", os.environ, signals=False)


def test_what_is_acknowledged_survives_a_restart(serve, tmp_path):
    for expected, value in ((None, "one"), (b"one", "two")):
        with supervise(tmp_path) as supervisor, Redis.from_url(serve(supervisor)) as client:
            assert client.get("key") == expected
            client.set("key", value)


def test_it_listens_on_loopback_only(serve, tmp_path):
    with supervise(tmp_path) as supervisor, Redis.from_url(serve(supervisor)) as client:
        assert client.config_get("bind") == {"bind": "127.0.0.1"}


def test_the_address_is_found_while_the_server_runs(serve, tmp_path):
    with supervise(tmp_path) as supervisor:
        url = serve(supervisor)
        redis_server.write_url_file(tmp_path, url)
        assert redis_server.find_running_url(tmp_path) == url
    assert redis_server.find_running_url(tmp_path) is None


def test_an_announcement_that_was_withdrawn_is_gone(tmp_path):
    redis_server.write_url_file(tmp_path, "redis://127.0.0.1:1/0")
    redis_server.remove_url_file(tmp_path)
    redis_server.remove_url_file(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_something_else_on_the_port_is_no_redis():
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not redis_server.is_answering(redis_server.server_url(server.getsockname()[1]))


def program(folder, name):
    path = folder / name
    path.write_text("#!/bin/sh\n", encoding="ascii")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_programs_on_path_come_first(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    valkey = program(tmp_path, "valkey-server")
    assert redis_server.find_program() == valkey
    redis = program(tmp_path, "redis-server")
    assert redis_server.find_program() == redis


def test_the_one_in_the_environment_is_next(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    (tmp_path / "bin").mkdir()
    fetched = program(tmp_path / "bin", "valkey-server")
    assert redis_server.find_program(str(tmp_path)) == fetched


def test_without_any_the_error_names_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(redis_server.NoRedisServer, match="apt-get install redis-server"):
        redis_server.find_program(str(tmp_path))
