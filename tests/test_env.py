"""Reading settings: typed, loud on bad input, silent about secrets."""

from __future__ import annotations

import stat

import pytest
from django.core.exceptions import ImproperlyConfigured

from marketo_admin.env import Environment, get_or_create_secret, make_folder


def load(tmp_path, text, **environment):
    path = tmp_path / ".env"
    path.write_text(text, encoding="utf-8")
    return Environment.load(path, environment)


def database(url, tmp_path):
    return Environment({"DATABASE_URL": url}).database("DATABASE_URL", default="", base=tmp_path)


def test_the_environment_wins_over_the_file(tmp_path):
    env = load(tmp_path, "A=file\nB=file\n", A="real")
    assert (env.text("A"), env.text("B")) == ("real", "file")


def test_a_missing_file_is_fine_unless_it_was_asked_for(tmp_path):
    assert Environment.load(tmp_path / ".env", {}).text("A", "default") == "default"
    with pytest.raises(ImproperlyConfigured, match="no such file"):
        Environment.load(tmp_path / ".env", {"DJANGO_ENV_FILE": str(tmp_path / "other")})


def test_another_file_can_be_named(tmp_path):
    (tmp_path / "other").write_text("A=other", encoding="utf-8")
    assert load(tmp_path, "A=default", DJANGO_ENV_FILE=str(tmp_path / "other")).text("A") == "other"


def test_a_line_that_cannot_be_read_is_named_by_number_and_not_shown(tmp_path):
    with pytest.raises(ImproperlyConfigured, match=r"\.env, line 2: write NAME=value") as caught:
        load(tmp_path, "# a comment\nMARKETO_ENCRYPTION_KEY = very-secret\n")
    assert "very-secret" not in str(caught.value)


def test_an_empty_value_counts_as_not_set():
    assert Environment({"A": " "}).text("A", "default") == "default"
    assert Environment({"A": ""}).flag("A", default=True) is True


def test_a_value_that_starts_with_a_dollar_is_taken_as_it_is(tmp_path):
    assert load(tmp_path, "KEY=$HOME#1").secret("KEY") == "$HOME#1"


@pytest.mark.parametrize(("text", "value"), [("true", True), ("1", True), ("ON", True), ("no", False), ("0", False)])
def test_flags(text, value):
    assert Environment({"A": text}).flag("A", default=not value) is value


def test_a_flag_that_is_neither_is_refused_with_what_would_be_right():
    with pytest.raises(ImproperlyConfigured, match="DJANGO_DEBUG=ture: should be true or false"):
        Environment({"DJANGO_DEBUG": "ture"}).flag("DJANGO_DEBUG", default=False)


@pytest.mark.parametrize("text", ["0", "601", "1.5", "-1", "sixty", "1e2", "99999999999"])
def test_a_number_out_of_its_limits_is_refused(text):
    with pytest.raises(ImproperlyConfigured, match="a whole number from 1 to 600"):
        Environment({"A": text}).number("A", default=60, minimum=1, maximum=600)


def test_numbers_and_lists():
    env = Environment({"N": " 90 ", "L": "a.example.com, b.example.com,"})
    assert env.number("N", default=60, minimum=1, maximum=600) == 90
    assert env.names("L") == ["a.example.com", "b.example.com"]
    assert env.names("M", ("localhost",)) == ["localhost"]


def test_a_secret_can_come_from_a_file(tmp_path):
    (tmp_path / "key").write_text("from-file\n", encoding="utf-8")
    assert Environment({"KEY_FILE": str(tmp_path / "key")}).secret("KEY") == "from-file"


def test_a_secret_set_twice_is_refused_without_being_shown(tmp_path):
    with pytest.raises(ImproperlyConfigured, match="Both KEY and KEY_FILE are set") as caught:
        Environment({"KEY": "very-secret", "KEY_FILE": str(tmp_path)}).secret("KEY")
    assert "very-secret" not in str(caught.value)


@pytest.mark.parametrize(("content", "reason"), [(None, "No such file"), (b"\xff\xfe", "not UTF-8")])
def test_a_secret_file_that_cannot_be_read_is_named(tmp_path, content, reason):
    path = tmp_path / "key"
    if content:
        path.write_bytes(content)
    with pytest.raises(ImproperlyConfigured, match=f"KEY_FILE=.*{reason}"):
        Environment({"KEY_FILE": str(path)}).secret("KEY")


def test_a_relative_sqlite_file_lies_in_the_checkout(tmp_path):
    config = database("sqlite:///var/db.sqlite3", tmp_path)
    assert config["NAME"] == str(tmp_path / "var/db.sqlite3")
    assert (tmp_path / "var").is_dir()
    assert config["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_sqlite_in_memory(tmp_path):
    assert database("sqlite://:memory:", tmp_path)["NAME"] == ":memory:"


def test_postgresql_connections_are_kept_and_checked(tmp_path):
    config = database("postgres://me:p%40ss@db.example.com:5433/marketo?sslmode=require", tmp_path)
    assert (config["NAME"], config["PASSWORD"], config["PORT"]) == ("marketo", "p@ss", 5433)
    assert config["OPTIONS"] == {"sslmode": "require", "options": "-c jit=off"}
    assert (config["CONN_MAX_AGE"], config["CONN_HEALTH_CHECKS"]) == (60, True)


def test_pgbouncer_gets_no_options_that_it_would_refuse(tmp_path):
    config = Environment({"U": "postgres://me@db/marketo"}).database("U", default="", base=tmp_path, pooled=True)
    assert config["OPTIONS"] == {}


def test_origins_are_whole_addresses():
    env = Environment({"O": "https://a.example.com, http://b:8443", "P": "a.example.com", "Q": "https://a/x"})
    assert env.origins("O") == ["https://a.example.com", "http://b:8443"]
    assert env.origins("NONE") == []
    for name, value in (("P", "a.example.com"), ("Q", "https://a/x")):
        with pytest.raises(ImproperlyConfigured, match=f"^{name}={value}: should be https://HOST"):
            env.origins(name)


@pytest.mark.parametrize(
    "url", ["mysql://me:very-secret@host/db", "very-secret", "postgres://me:very-secret@host:x/db"]
)
def test_an_unusable_database_url_is_refused_without_being_shown(tmp_path, url):
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL") as caught:
        database(url, tmp_path)
    assert "very-secret" not in str(caught.value)


def test_an_unusable_redis_url_is_refused_without_being_shown():
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL") as caught:
        Environment({"REDIS_URL": "http://:very-secret@host"}).redis_url("REDIS_URL", "")
    assert "very-secret" not in str(caught.value)


def test_a_kept_secret_stays_the_same_and_is_private(tmp_path):
    path = tmp_path / "var" / "secret_key"
    first = get_or_create_secret(path)
    assert first == get_or_create_secret(path)
    assert len(first) >= 50
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_secret_that_is_too_short_is_refused_without_being_shown():
    with pytest.raises(ImproperlyConfigured, match=r"KEY=.not shown.: should be 16 or more") as caught:
        Environment({"KEY": "very-secret"}).secret("KEY", shortest=16)
    assert "very-secret" not in str(caught.value)
    assert Environment({}).secret("KEY", shortest=16) == ""


def test_a_folder_is_made_or_refused_in_words(tmp_path):
    make_folder("FOLDER", str(tmp_path / "a" / "b"))
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(ImproperlyConfigured, match=r"FOLDER=.*/file: the folder cannot be made .File exists"):
        make_folder("FOLDER", str(tmp_path / "file"))


def test_whatever_is_read_as_a_secret_is_known_to_those_who_mask(tmp_path):
    read = Environment({"KEY": "a-key", "REDIS_URL": "redis://u:a%2Fb@h/0", "DATABASE_URL": "postgres://u:c%2Fd@h/n"})
    read.secret("KEY")
    read.redis_url("REDIS_URL", "")
    read.database("DATABASE_URL", default="", base=tmp_path)
    assert read.secrets_read == ["a-key", "a%2Fb", "a/b", "c/d"]


def test_one_of_some_words_is_asked_for():
    assert Environment({}).choice("LOG_FORMAT", default="line", choices=("line", "json")) == "line"
    with pytest.raises(ImproperlyConfigured, match="LOG_FORMAT=xml: should be one of: line, json"):
        Environment({"LOG_FORMAT": "xml"}).choice("LOG_FORMAT", default="line", choices=("line", "json"))
