# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every test shares: the repository as an importable and installable collection, and a clean environment."""

from __future__ import annotations

import os
import runpy
import sys
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
COLLECTIONS = ROOT / ".cache" / "collections"

# Python and Ansible know a collection by its place below ansible_collections/: this tree is the repository seen so.
LINK = COLLECTIONS / "ansible_collections" / "datastax" / "astra"
LINK.parent.mkdir(parents=True, exist_ok=True)
with suppress(FileExistsError):  # from an earlier run, or a parallel one
    LINK.symlink_to(ROOT)
sys.path.insert(0, str(COLLECTIONS))

# No test leaves this machine, and nothing that it starts does.
OFFLINE = str(ROOT / "tests" / "offline")
runpy.run_path(f"{OFFLINE}/sitecustomize.py")

# For tests that load plugins in their own process: Ansible reads its settings when it is imported.
for name in [name for name in os.environ if name.startswith(("ANSIBLE_", "ASTRA_"))]:
    del os.environ[name]
os.environ["ANSIBLE_COLLECTIONS_PATH"] = str(COLLECTIONS)


@pytest.fixture(scope="session")
def collections_path() -> str:
    """The value of ANSIBLE_COLLECTIONS_PATH with which Ansible finds the repository as datastax.astra."""
    return str(COLLECTIONS)


@pytest.fixture
def ansible_environment(tmp_path: Path, collections_path: str) -> dict[str, str]:
    """The whole environment for running ansible-playbook and its kin: nothing of the developer's own settings."""
    return _environment(tmp_path, collections_path)


@pytest.fixture(scope="session")
def session_environment(tmp_path_factory: pytest.TempPathFactory, collections_path: str) -> dict[str, str]:
    """The same for what is run once for several tests."""
    return _environment(tmp_path_factory.mktemp("session"), collections_path)


def _environment(directory: Path, collections_path: str) -> dict[str, str]:
    home = directory / "home"
    home.mkdir()
    config = directory / "ansible.cfg"
    config.touch()
    return {
        # The commands of the ansible-core that is installed beside the pytest that is running.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "HOME": str(home),
        "PYTHONPATH": OFFLINE,
        "LANG": "C.UTF-8",
        "ANSIBLE_COLLECTIONS_PATH": collections_path,
        "ANSIBLE_CONFIG": str(config),
        "ANSIBLE_HOME": str(home / ".ansible"),
        "ANSIBLE_LOCAL_TEMP": str(home / "local-tmp"),
        "ANSIBLE_REMOTE_TEMP": str(home / "remote-tmp"),
        # Without it Ansible would search for interpreters, and find those of the developer's version manager.
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        "ANSIBLE_NOCOWS": "1",
        "ANSIBLE_NOCOLOR": "1",
    }
