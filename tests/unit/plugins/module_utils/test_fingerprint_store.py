# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One small file for each organization: whole or not at all, private, and never a reason to crash."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import stat
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor

import pytest
from ansible_collections.datastax.astra.plugins.module_utils import fingerprint_store
from ansible_collections.datastax.astra.plugins.module_utils.audit_log_stream import fingerprint
from ansible_collections.datastax.astra.plugins.module_utils.fingerprint_store import UNKNOWN, recall, remember

ORGANIZATION = "0a1b2c3d-0000-4000-8000-000000000001"
OTHER_ORGANIZATION = "0a1b2c3d-0000-4000-8000-000000000002"
FINGERPRINT = fingerprint(ORGANIZATION, "secret")
OTHER_FINGERPRINT = fingerprint(ORGANIZATION, "another")

UNREADABLE = f"The fingerprint store's file {ORGANIZATION}.json cannot be read, so it counts as not known."
SOMETHING_ELSE = f"The fingerprint store's file {ORGANIZATION}.json is about something else, so it counts as not known."
NO_FINGERPRINT = (
    f"The fingerprint store's file {ORGANIZATION}.json has no fingerprint in it, so it counts as not known."
)


def unwritable(reason):
    return [f"The fingerprint store's file {ORGANIZATION}.json cannot be written: {reason}."]


@pytest.fixture
def store(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def path(store):
    """The file of ORGANIZATION, in a directory that is there."""
    store.mkdir()
    return store / f"{ORGANIZATION}.json"


class TestRemember:
    @pytest.mark.parametrize("value", [FINGERPRINT, UNKNOWN], ids=["known", "unknown"])
    def test_is_recalled(self, store, value):
        assert remember(store, ORGANIZATION, value) == []
        assert recall(store, ORGANIZATION) == (value, [])
        assert recall(store, OTHER_ORGANIZATION) == (None, [])

    def test_content(self, path):
        remember(path.parent, ORGANIZATION, FINGERPRINT)
        assert path.read_text() == (
            f'{{\n  "organization_id": "{ORGANIZATION}",\n  "token_fingerprint": "{FINGERPRINT}"\n}}\n'
        )

    @pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
    def test_mode(self, path, umask):
        before = os.umask(umask)
        try:
            remember(path.parent, ORGANIZATION, FINGERPRINT)
        finally:
            os.umask(before)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_a_wider_mode_is_narrowed(self, path):
        path.touch(mode=0o644)
        remember(path.parent, ORGANIZATION, FINGERPRINT)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_directories_are_made(self, store):
        assert remember(store / "a" / "b", ORGANIZATION, FINGERPRINT) == []
        assert recall(store / "a" / "b", ORGANIZATION) == (FINGERPRINT, [])

    def test_replaces(self, path):
        remember(path.parent, ORGANIZATION, FINGERPRINT)
        remember(path.parent, ORGANIZATION, OTHER_FINGERPRINT)
        assert recall(path.parent, ORGANIZATION) == (OTHER_FINGERPRINT, [])
        assert list(path.parent.iterdir()) == [path]

    @pytest.mark.parametrize("content", ["", "{", "[" * 5000, "x" * 100_000])
    def test_replaces_a_damaged_file(self, path, content):
        path.write_text(content)
        assert remember(path.parent, ORGANIZATION, FINGERPRINT) == []
        assert recall(path.parent, ORGANIZATION) == (FINGERPRINT, [])

    def test_forgets(self, path):
        remember(path.parent, OTHER_ORGANIZATION, OTHER_FINGERPRINT)
        remember(path.parent, ORGANIZATION, FINGERPRINT)
        assert remember(path.parent, ORGANIZATION, None) == []
        assert recall(path.parent, ORGANIZATION) == (None, [])
        assert recall(path.parent, OTHER_ORGANIZATION) == (OTHER_FINGERPRINT, [])

    def test_forgets_what_it_never_knew(self, store):
        assert remember(store, ORGANIZATION, None) == []
        assert not store.exists()

    def test_a_file_instead_of_the_directory(self, store):
        store.touch()
        assert remember(store, ORGANIZATION, FINGERPRINT) == unwritable("File exists")
        assert remember(store, ORGANIZATION, None) == unwritable("Not a directory")

    def test_a_directory_instead_of_the_file(self, path):
        path.mkdir()
        assert remember(path.parent, ORGANIZATION, FINGERPRINT) == unwritable("Is a directory")
        assert list(path.parent.iterdir()) == [path]

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_a_directory_without_permission(self, path):
        path.parent.chmod(0o500)
        assert remember(path.parent, ORGANIZATION, FINGERPRINT) == unwritable("Permission denied")

    def test_a_directory_whose_name_no_system_allows(self):
        for directory in ("a\0b", "a\ud800"):
            (warning,) = remember(directory, ORGANIZATION, FINGERPRINT)
            assert "cannot be written" in warning

    @pytest.mark.parametrize("function", ["fsync", "replace"])
    def test_a_full_disk_keeps_the_old_file(self, path, monkeypatch, function):
        def fail(*_arguments):
            raise OSError(28, "No space left on device")

        remember(path.parent, ORGANIZATION, FINGERPRINT)
        with monkeypatch.context() as patch:
            patch.setattr(fingerprint_store.os, function, fail)
            assert remember(path.parent, ORGANIZATION, OTHER_FINGERPRINT) == unwritable("No space left on device")
        assert recall(path.parent, ORGANIZATION) == (FINGERPRINT, [])
        assert list(path.parent.iterdir()) == [path]

    def test_an_interruption_is_passed_on_and_keeps_the_old_file(self, path, monkeypatch):
        def interrupt(*_arguments):
            raise KeyboardInterrupt

        remember(path.parent, ORGANIZATION, FINGERPRINT)
        with monkeypatch.context() as patch:
            patch.setattr(fingerprint_store.os, "replace", interrupt)
            with pytest.raises(KeyboardInterrupt):
                remember(path.parent, ORGANIZATION, OTHER_FINGERPRINT)
        assert recall(path.parent, ORGANIZATION) == (FINGERPRINT, [])
        assert list(path.parent.iterdir()) == [path]


def entry(**fields):
    return json.dumps({"organization_id": ORGANIZATION, "token_fingerprint": FINGERPRINT, **fields})


class TestRecall:
    def test_nothing_is_there(self, store, path):
        assert recall(store / "missing", ORGANIZATION) == (None, [])
        assert recall(path.parent, ORGANIZATION) == (None, [])

    def test_a_file_that_somebody_wrote_by_hand(self, path):
        path.write_text(entry(note="rotated on Monday"))
        assert recall(path.parent, ORGANIZATION) == (FINGERPRINT, [])

    @pytest.mark.parametrize(
        ("content", "warning"),
        [
            ("", UNREADABLE),
            ("{", UNREADABLE),
            (entry()[:-20], UNREADABLE),
            (entry() * 2, UNREADABLE),
            ("not JSON", UNREADABLE),
            (b"\xff\xfe\x00", UNREADABLE),
            ("[" * 4000, UNREADABLE),
            ("9" * 4000, SOMETHING_ELSE),
            (entry(padding="x" * 100_000), UNREADABLE),
            ("<<<<<<< HEAD\n" + entry(), UNREADABLE),
            ("null", SOMETHING_ELSE),
            ("[]", SOMETHING_ELSE),
            ("7", SOMETHING_ELSE),
            (f'"{FINGERPRINT}"', SOMETHING_ELSE),
            ("{}", SOMETHING_ELSE),
            (json.dumps({"token_fingerprint": FINGERPRINT}), SOMETHING_ELSE),
            (entry(organization_id=OTHER_ORGANIZATION), SOMETHING_ELSE),
            (entry(organization_id=None), SOMETHING_ELSE),
            (json.dumps({"organization_id": ORGANIZATION}), NO_FINGERPRINT),
            (entry(token_fingerprint=None), NO_FINGERPRINT),
            (entry(token_fingerprint=7), NO_FINGERPRINT),
            (entry(token_fingerprint=[FINGERPRINT]), NO_FINGERPRINT),
            (entry(token_fingerprint=""), NO_FINGERPRINT),
            (entry(token_fingerprint=FINGERPRINT[:-1]), NO_FINGERPRINT),
            (entry(token_fingerprint=FINGERPRINT.upper()), NO_FINGERPRINT),
            (entry(token_fingerprint=f"{FINGERPRINT}\n"), NO_FINGERPRINT),
            (entry(token_fingerprint=FINGERPRINT.replace("sha256", "sha512")), NO_FINGERPRINT),
        ],
        ids=lambda value: None if str(value).startswith("The ") else f"{value!r:.50}",
    )
    def test_damaged_and_foreign_files(self, path, content, warning):
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        assert recall(path.parent, ORGANIZATION) == (None, [warning])

    def test_a_directory_instead_of_the_file(self, path):
        path.mkdir()
        assert recall(path.parent, ORGANIZATION) == (None, [UNREADABLE])

    def test_a_file_instead_of_the_directory(self, store):
        store.touch()
        assert recall(store, ORGANIZATION) == (None, [UNREADABLE])

    def test_a_link_that_leads_nowhere(self, path):
        path.symlink_to(path)
        assert recall(path.parent, ORGANIZATION) == (None, [UNREADABLE])

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_a_file_without_permission(self, path):
        path.write_text(entry())
        path.chmod(0)
        assert recall(path.parent, ORGANIZATION) == (None, [UNREADABLE])


def test_the_unknown_fingerprint_is_no_secrets_own():
    """It has the form of a fingerprint, so that it makes the secret be sent again; no hash will ever equal it."""
    assert f"sha256:{'0' * 64}" == UNKNOWN


@pytest.fixture(scope="module")
def workers():
    """Processes of their own, as jobs and slices are."""
    with ProcessPoolExecutor(3, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


class TestParallelRuns:
    def test_writers_of_different_organizations(self, store, workers):
        organizations = {f"0a1b2c3d-0000-4000-8000-{number:012}": f"sha256:{number:064x}" for number in range(60)}
        results = [workers.submit(remember, str(store), *item) for item in organizations.items()]
        assert [result.result() for result in results] == [[]] * 60
        assert sorted(file.stem for file in store.iterdir()) == sorted(organizations)
        for organization, expected in organizations.items():
            assert recall(store, organization) == (expected, [])

    def test_a_reader_sees_one_of_the_writers_files_whole(self, store, workers):
        remember(store, ORGANIZATION, FINGERPRINT)
        values = [FINGERPRINT, OTHER_FINGERPRINT]
        writers = [workers.submit(remember, str(store), ORGANIZATION, values[number % 2]) for number in range(200)]
        seen = set()
        while not all(writer.done() for writer in writers):
            value, warnings = recall(store, ORGANIZATION)
            assert (value in values, warnings) == (True, [])
            seen.add(value)
        assert [writer.result() for writer in writers] == [[]] * 200
        assert seen
        assert [file.name for file in store.iterdir()] == [f"{ORGANIZATION}.json"]

    def test_a_writer_forgets_while_others_write(self, store, workers):
        values = [FINGERPRINT, None, OTHER_FINGERPRINT, None]
        writers = [workers.submit(remember, str(store), ORGANIZATION, values[number % 4]) for number in range(100)]
        while not all(writer.done() for writer in writers):
            value, warnings = recall(store, ORGANIZATION)
            assert (value in values, warnings) == (True, [])
        assert [writer.result() for writer in writers] == [[]] * 100


KILLED_WRITER = f"""
import os, signal, sys
from ansible_collections.datastax.astra.plugins.module_utils import fingerprint_store
os.replace = lambda *_arguments: os.kill(os.getpid(), signal.SIGKILL)
fingerprint_store.remember(sys.argv[1], "{ORGANIZATION}", "{OTHER_FINGERPRINT}")
"""


def test_a_killed_writer_does_no_harm(store, collections_path):
    """It is killed when all is written but the file has not yet appeared."""
    remember(store, ORGANIZATION, FINGERPRINT)
    command = [sys.executable, "-c", KILLED_WRITER, str(store)]
    killed = subprocess.run(command, env={"PYTHONPATH": collections_path}, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert recall(store, ORGANIZATION) == (FINGERPRINT, [])
    assert remember(store, ORGANIZATION, OTHER_FINGERPRINT) == []
    assert recall(store, ORGANIZATION) == (OTHER_FINGERPRINT, [])
