"""High-water marks in Redis and in the file of a host."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis import Redis

from mobjects.sync.installation import marks

OURS, OTHER = "0123456789abcdef", "fedcba9876543210"


@pytest.fixture
def file(redis_url, settings):
    return Path(settings.INSTALLATION_FILE)


@pytest.fixture
def redis(redis_url):
    with Redis.from_url(redis_url) as client:
        yield client


def test_a_mark_only_rises_in_either_place(file, redis):
    assert marks.read_mark(OURS) is None
    marks.raise_mark(OURS, 101)
    marks.raise_mark(OURS, 100)
    marks.raise_mark(OTHER, 7)
    in_file = file.read_text()
    file.unlink()
    assert (marks.read_mark(OURS), marks.read_mark(OTHER)) == (101, 7)
    redis.flushdb()
    file.write_text(in_file)
    assert (marks.read_mark(OURS), marks.read_mark(OTHER)) == (101, 7)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"a": null}'])
def test_a_file_that_was_cut_off_counts_as_not_there(file, content):
    file.parent.mkdir()
    file.write_text(content)
    assert marks.read_mark(OURS) is None
    marks.raise_mark(OURS, 5)
    assert marks.read_mark(OURS) == 5


def test_a_place_that_cannot_be_written_to_is_said_in_the_log_only(settings, redis_url, tmp_path, caplog):
    (tmp_path / "no-folder").write_text("")
    settings.INSTALLATION_FILE = str(tmp_path / "no-folder" / "installation.json")
    assert marks.raise_mark(OURS, 5)
    assert "was not kept in" in caplog.text
    settings.RQ_QUEUES = {"sync": {**settings.RQ_QUEUES["sync"], "URL": "redis://127.0.0.1:9/0"}}
    assert not marks.raise_mark(OURS, 6)
    assert "was not kept in Redis" in caplog.text
