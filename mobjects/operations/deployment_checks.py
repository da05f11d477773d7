"""What settings and this host's files say about an installation, without asking any server."""

from __future__ import annotations

import json
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.checks import ERROR, run_checks

from mobjects.operations.finding import Finding, FindingLevel, found_bad, found_ok, found_warning

LOW_MB, LOWEST_MB = 1024, 200
"""Less free space than this is worth a word; with less than the second an import or a download may break off."""
LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")
MANIFEST = "staticfiles.json"


def find_setting_problems() -> Iterator[Finding]:
    """What Django's checks and ours say of the settings, those for deployment included."""
    messages = [message for message in run_checks(include_deployment_checks=True) if not message.is_silenced()]
    for message in messages:
        level = FindingLevel.BAD if message.level >= ERROR else FindingLevel.WARNING
        says, hint = (" ".join(str(text or "").split()) for text in (message.msg, message.hint))
        # Some of Django's own say in one text what is wrong and what to do.
        yield Finding("settings", level, f"{says} ({message.id})", hint or "See docs/settings.md.")
    if not messages:
        yield found_ok("settings", "Django's checks for deployment find nothing.")


def find_address_problems() -> Iterator[Finding]:
    """Whether the site answers under the name that people use."""
    hosts = list(settings.ALLOWED_HOSTS)
    advice = "Set DJANGO_ALLOWED_HOSTS to the names under which people open the site."
    if "*" in hosts:
        yield found_warning("addresses", "The site answers under any host name.", advice)
    elif not settings.DEBUG and set(hosts) <= set(LOCAL_NAMES):
        yield found_warning("addresses", "The site answers on this machine only.", advice)
    else:
        yield found_ok("addresses", f"The site answers as {', '.join(hosts)}.")
    strangers = [origin for origin in settings.CSRF_TRUSTED_ORIGINS if not _is_ours(origin, hosts)]
    if strangers:
        said = f"Forms from {', '.join(strangers)} are accepted, and the site has no such name."
        yield found_warning("addresses", said, "Take it out of DJANGO_TRUSTED_ORIGINS unless a proxy renames the host.")


def find_static_file_problems() -> Iterator[Finding]:
    """Whether style sheets and scripts are where the web server looks for them."""
    if settings.DEBUG or "Manifest" not in settings.STORAGES["staticfiles"]["BACKEND"]:
        yield found_ok("static files", "They are served from where they are.")
        return
    manifest, advice = Path(settings.STATIC_ROOT) / MANIFEST, "Run manage.py collectstatic --noinput."
    try:
        named = json.loads(manifest.read_text(encoding="utf-8"))["paths"]
    except (OSError, ValueError, KeyError):
        yield found_bad("static files", f"{manifest} is not there or cannot be read: every page fails.", advice)
        return
    missing = [name for name in named.values() if not (manifest.parent / name).exists()]
    if missing:
        said = f"{len(missing)} of {len(named)} files are missing, such as {missing[0]}."
        yield found_bad("static files", said, advice)
    else:
        yield found_ok("static files", f"{len(named)} files are collected.")


def find_folder_problems() -> Iterator[Finding]:
    """Whether the folders that are written to have room, and whether files with secrets are the owner's alone."""
    own = Path(settings.INSTALLATION_FILE).parent if settings.INSTALLATION_FILE else Path(settings.MEDIA_ROOT).parent
    for what, folder in (("own files", own), ("temporary files", Path(tempfile.gettempdir()))):
        yield _look_at_folder(what, folder)
    exposed = [path for path in (Path(settings.BASE_DIR) / ".env", own / "secret_key") if _is_open_to_others(path)]
    if exposed:
        said = f"{', '.join(map(str, exposed))} may be read by every user of this host, and hold secrets."
        yield found_warning("secret files", said, "chmod 600, for the user that runs the site.")


def _look_at_folder(what: str, folder: Path) -> Finding:
    name = f"disk ({what})"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        free_mb = shutil.disk_usage(folder).free // 2**20
    except OSError as error:
        return found_bad(name, f"{folder} cannot be written ({error.strerror}).", "Give it to the user of the site.")
    said, advice = f"{folder} has {free_mb:,} MB free.", "Make room: imports and downloads are put together there."
    if free_mb < LOWEST_MB:
        return found_bad(name, said, advice)
    return found_warning(name, said, advice) if free_mb < LOW_MB else found_ok(name, said)


def _is_ours(origin: str, hosts: list[str]) -> bool:
    host = origin.partition("://")[2].partition(":")[0]
    return "*" in hosts or any(host == name or (name.startswith(".") and host.endswith(name)) for name in hosts)


def _is_open_to_others(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False
