"""The files in deploy/ are what their programs take, and say what the documentation says."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from tests.conftest import IN_CI
from tests.files import ROOT

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


def program(name, package):
    """A program of the system. Without it the test is skipped, but in CI it fails."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin:/usr/bin")
    if found is None:
        message = f"no {name} on PATH; get one with: apt-get install {package}"
        if IN_CI:
            pytest.fail(message)
        pytest.skip(message)
    return found


@pytest.fixture
def unit_folder(tmp_path):
    """The units, with this checkout in the place of the one that they name: programs have to be there."""
    for unit in UNITS:
        text = unit.read_text().replace("/srv/marketo-admin", str(ROOT)).replace(f"{ROOT}/.venv/bin", "/usr/bin")
        text = re.sub(r"^ExecStart=/usr/bin/(python|gunicorn)", "ExecStart=/usr/bin/env", text, flags=re.MULTILINE)
        (tmp_path / unit.name.replace("@", "@1")).write_text(text.replace("EnvironmentFile=", "EnvironmentFile=-"))
    return tmp_path


def test_systemd_takes_the_units(unit_folder):
    verify = program("systemd-analyze", "systemd")
    done = subprocess.run(
        [verify, "verify", "--man=no", *sorted(unit_folder.iterdir())], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_systemd_does_not_take_what_is_misspelt(unit_folder):
    """The check would notice."""
    verify = program("systemd-analyze", "systemd")
    unit = unit_folder / "marketo-clock.service"
    unit.write_text(unit.read_text().replace("Restart=always", "Restart=sometimes"))
    done = subprocess.run([verify, "verify", "--man=no", unit], capture_output=True, text=True, check=False)
    assert "restart specifier, ignoring: sometimes" in done.stderr


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("marketo-web.service", "gunicorn marketo_admin.wsgi --bind 127.0.0.1:8000 --workers 2 --threads 16"),
        (
            "marketo-worker@.service",
            "python manage.py rqworker sync --with-scheduler",
        ),
        ("marketo-clock.service", "python manage.py clock"),
    ],
)
def test_the_units_start_what_the_documentation_says(name, command):
    unit = (DEPLOY / "systemd" / name).read_text()
    assert f"\nExecStart=/srv/marketo-admin/.venv/bin/{command}\n" in unit
    assert command.replace(" --bind 127.0.0.1:8000", "") in (ROOT / "docs/operations.md").read_text()
    assert "\nRestart=always\n" in unit
    assert [unit.name for unit in UNITS] == ["marketo-clock.service", "marketo-web.service", "marketo-worker@.service"]


@pytest.fixture
def nginx_configuration(tmp_path):
    """A whole configuration around deploy/nginx.conf, with a certificate of its own, that needs no rights."""
    openssl = program("openssl", "openssl")
    make = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    make += ["-subj", "/CN=marketo.example.com", "-keyout", "key.pem", "-out", "fullchain.pem"]
    subprocess.run(make, cwd=tmp_path, check=True, capture_output=True)
    text = (DEPLOY / "nginx.conf").read_text().replace("/etc/ssl/marketo-admin", str(tmp_path))
    (tmp_path / "site.conf").write_text(text)
    paths = "".join(
        f"{name}_temp_path {tmp_path}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = tmp_path / "nginx.conf"
    whole.write_text(
        f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\n{paths}include {tmp_path}/site.conf;\n}}\n"
    )
    return whole


def test_nginx_takes_the_configuration(nginx_configuration):
    nginx = program("nginx", "nginx-light")
    done = subprocess.run(
        [nginx, "-t", "-q", "-c", nginx_configuration, "-p", nginx_configuration.parent],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_nginx_lets_files_through_where_the_site_takes_files_and_nowhere_else(client):
    """Each address with a file in its form is let through, as large as IMPORT_MAX_MB allows by default."""
    text = (DEPLOY / "nginx.conf").read_text()
    (pattern,) = re.findall(r"location ~ (\S+) {\n\s+client_max_body_size 160m;", text)
    forms = [path for path in (ROOT / "templates").rglob("*.html") if "multipart/form-data" in path.read_text()]
    addresses = {"upload.html": ["/admin/imports/new/"], "named_records.html": ["/admin/records/by-list/"]}
    addresses["page.html"] = ["/admin/pull/", "/admin/compare/"]
    assert sorted(path.name for path in forms) == sorted(addresses)
    for address in (path for paths in addresses.values() for path in paths):
        assert re.search(pattern, address), address
    assert not re.search(pattern, "/admin/login/")
    assert not re.search(pattern, "/admin/mobjects/program/1/change/")


def test_the_container_is_made_of_what_there_is_and_starts_what_the_units_start():
    """No engine is needed for this; that the image is built is for a machine that has one."""
    text = (DEPLOY / "Containerfile").read_text()
    sources = [word for line in re.findall(r"^COPY (.+)$", text, re.MULTILINE) for word in line.split()[:-1]]
    assert [name for name in sources if not (ROOT / name).exists()] == []
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"bench", "tests"}
    assert packages | {"templates", "locale", "manage.py", "gunicorn.conf.py"} <= set(sources)
    assert (
        'CMD ["gunicorn", "marketo_admin.wsgi", "--bind", "0.0.0.0:8000", "--workers", "2", "--threads", "16"]' in text
    )
    assert "manage.py rqworker sync --with-scheduler" in text
