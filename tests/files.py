"""The project's own files, for the tests about the project itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def project_files(suffix: str = "") -> list[Path]:
    """Every file that is or could be committed, and exists; of a suffix such as ``.py`` where one is given."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    paths = [ROOT / name for name in listed.split("\0") if name.endswith(suffix) and name]
    return sorted(path for path in set(paths) if path.is_file())
