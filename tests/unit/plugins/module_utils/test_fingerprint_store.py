# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is remembered of each organization's secret: it never claims what nobody can know."""

from __future__ import annotations

import itertools
import json
import multiprocessing
import os
import signal
import stat
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor

import pytest
from ansible_collections.datastax.astra.plugins.module_utils import _atomic_file
from ansible_collections.datastax.astra.plugins.module_utils._fingerprint_store import (
    DirectoryStore,
    Entry,
    StoreError,
    format_entry,
    parse_entry,
    recall,
    run_with_store,
)
from ansible_collections.datastax.astra.plugins.module_utils._secrets import UNKNOWN_FINGERPRINT, compute_fingerprint

from tests.unit.plugins.module_utils.support import ORGANIZATION, OTHER_ORGANIZATION

FINGERPRINT = compute_fingerprint(ORGANIZATION, "secret")
OTHER_FINGERPRINT = compute_fingerprint(ORGANIZATION, "another")
KNOWN = Entry(FINGERPRINT)
OTHER = Entry(OTHER_FINGERPRINT)
UNKNOWN = Entry(UNKNOWN_FINGERPRINT)
ANNOUNCED = Entry(UNKNOWN_FINGERPRINT, "0123456789abcdef")
ENTRIES = [KNOWN, OTHER, UNKNOWN, ANNOUNCED]

UNREADABLE = "cannot be read"
SOMETHING_ELSE = "is about something else"
NO_FINGERPRINT = "has no fingerprint in it"


@pytest.fixture
def store(tmp_path):
    return DirectoryStore(str(tmp_path / "store"))


@pytest.fixture
def path(tmp_path):
    """The file of ORGANIZATION, in a directory that is there."""
    directory = tmp_path / "store" / "audit_log_stream"
    directory.mkdir(parents=True, exist_ok=True)
    return directory / f"{ORGANIZATION}.json"


def message_of(function, *arguments):
    with pytest.raises(StoreError) as caught:
        function(*arguments)
    return caught.value.message


class TestEntries:
    @pytest.mark.parametrize("entry", ENTRIES)
    def test_are_read_as_they_were_written(self, entry):
        assert parse_entry(format_entry(entry, ORGANIZATION), ORGANIZATION) == entry

    def test_content(self):
        assert format_entry(KNOWN, ORGANIZATION) == (
            "{\n"
            '  "kind": "audit_log_stream",\n'
            f'  "organization_id": "{ORGANIZATION}",\n'
            f'  "token_fingerprint": "{FINGERPRINT}",\n'
            '  "version": 1\n'
            "}"
        )

    def test_what_somebody_noted_by_hand_is_passed_over(self):
        assert parse_entry(document(note="rotated on Monday"), ORGANIZATION) == KNOWN

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"organization_id": OTHER_ORGANIZATION}, SOMETHING_ELSE),
            ({"organization_id": None}, SOMETHING_ELSE),
            ({"kind": "sink"}, SOMETHING_ELSE),
            ({"kind": None}, SOMETHING_ELSE),
            ({"version": 2}, SOMETHING_ELSE),
            ({"version": None}, SOMETHING_ELSE),
            ({"token_fingerprint": None}, NO_FINGERPRINT),
            ({"token_fingerprint": 7}, NO_FINGERPRINT),
            ({"token_fingerprint": [FINGERPRINT]}, NO_FINGERPRINT),
            ({"token_fingerprint": ""}, NO_FINGERPRINT),
            ({"token_fingerprint": FINGERPRINT[:-1]}, NO_FINGERPRINT),
            ({"token_fingerprint": FINGERPRINT.upper()}, NO_FINGERPRINT),
            ({"token_fingerprint": f"{FINGERPRINT}\n"}, NO_FINGERPRINT),
            ({"token_fingerprint": FINGERPRINT.replace("sha256", "sha512")}, NO_FINGERPRINT),
        ],
        ids=lambda value: f"{value!r:.60}",
    )
    def test_about_something_else(self, change, message):
        assert message_of(parse_entry, document(**change), ORGANIZATION) == message

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", UNREADABLE),
            ("{", UNREADABLE),
            ("not JSON", UNREADABLE),
            ("[" * 4000, UNREADABLE),
            ("<<<<<<< HEAD\n{}", UNREADABLE),
            ("9" * 4000, SOMETHING_ELSE),
            ("null", SOMETHING_ELSE),
            ("[]", SOMETHING_ELSE),
            ("7", SOMETHING_ELSE),
            (f'"{FINGERPRINT}"', SOMETHING_ELSE),
            ("{}", SOMETHING_ELSE),
            # The form that entries had before they named their kind.
            (json.dumps({"organization_id": ORGANIZATION, "token_fingerprint": FINGERPRINT}), SOMETHING_ELSE),
        ],
        ids=lambda value: f"{value!r:.40}",
    )
    def test_damaged(self, text, message):
        assert message_of(parse_entry, text, ORGANIZATION) == message


def document(**change):
    fields = {
        "kind": "audit_log_stream",
        "version": 1,
        "organization_id": ORGANIZATION,
        "token_fingerprint": FINGERPRINT,
        **change,
    }
    return json.dumps(fields)


class TestDirectory:
    @pytest.mark.parametrize("entry", ENTRIES)
    def test_keeps_an_entry(self, store, entry):
        store.write(ORGANIZATION, entry)
        assert store.read(ORGANIZATION) == entry
        assert store.read(OTHER_ORGANIZATION) is None

    def test_where(self, store, path):
        store.write(ORGANIZATION, KNOWN)
        assert path.read_text() == format_entry(KNOWN, ORGANIZATION) + "\n"

    @pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
    def test_mode(self, store, path, umask):
        before = os.umask(umask)
        try:
            store.write(ORGANIZATION, KNOWN)
        finally:
            os.umask(before)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_a_wider_mode_is_narrowed(self, store, path):
        path.touch(mode=0o644)
        store.write(ORGANIZATION, KNOWN)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_replaces(self, store, path):
        store.write(ORGANIZATION, KNOWN)
        store.write(ORGANIZATION, OTHER)
        assert store.read(ORGANIZATION) == OTHER
        assert list(path.parent.iterdir()) == [path]

    def test_removes(self, store):
        store.write(OTHER_ORGANIZATION, OTHER)
        store.write(ORGANIZATION, KNOWN)
        store.write(ORGANIZATION, None)
        assert store.read(ORGANIZATION) is None
        assert store.read(OTHER_ORGANIZATION) == OTHER

    def test_removes_what_it_never_knew(self, store, tmp_path):
        store.write(ORGANIZATION, None)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("expected", [None, *ENTRIES])
    @pytest.mark.parametrize("there", [None, *ENTRIES])
    @pytest.mark.parametrize("entry", [None, KNOWN])
    def test_exchanges_what_is_as_expected(self, store, tmp_path, expected, there, entry):
        store.write(ORGANIZATION, there)
        assert store.exchange(ORGANIZATION, expected, entry) is (there == expected)
        assert store.read(ORGANIZATION) == (entry if there == expected else there)
        assert not list(tmp_path.rglob("*.tmp"))

    def test_a_damaged_file_is_exchanged_as_none(self, store, path):
        path.write_text("{")
        assert not store.exchange(ORGANIZATION, KNOWN, OTHER)
        assert store.exchange(ORGANIZATION, None, OTHER)
        assert store.read(ORGANIZATION) == OTHER

    @pytest.mark.parametrize("content", [b"", b"{", b"[" * 5000, b"x" * 100_000, b"\xff\xfe\x00"])
    def test_a_damaged_file(self, store, path, content):
        path.write_bytes(content)
        assert message_of(store.read, ORGANIZATION) == UNREADABLE
        store.write(ORGANIZATION, KNOWN)
        assert store.read(ORGANIZATION) == KNOWN

    def test_a_file_that_is_too_large_to_be_an_entry(self, store, path):
        path.write_text(document(padding="x" * 100_000))
        assert message_of(store.read, ORGANIZATION) == UNREADABLE

    def test_a_file_instead_of_the_directory(self, store, tmp_path):
        (tmp_path / "store").touch()
        assert message_of(store.read, ORGANIZATION) == UNREADABLE
        assert message_of(store.write, ORGANIZATION, KNOWN).startswith("cannot be written: ")
        assert message_of(store.write, ORGANIZATION, None) == "cannot be written: Not a directory"

    def test_a_directory_instead_of_the_file(self, store, path):
        path.mkdir()
        assert message_of(store.read, ORGANIZATION) == UNREADABLE
        assert message_of(store.write, ORGANIZATION, KNOWN) == "cannot be written: Is a directory"
        assert list(path.parent.iterdir()) == [path]

    def test_a_link_that_leads_nowhere(self, store, path):
        path.symlink_to(path)
        assert message_of(store.read, ORGANIZATION) == UNREADABLE

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may do everything")
    def test_without_permission(self, store, path):
        path.write_text(document())
        path.chmod(0)
        assert message_of(store.read, ORGANIZATION) == UNREADABLE
        path.parent.chmod(0o500)
        assert message_of(store.write, ORGANIZATION, KNOWN) == "cannot be written: Permission denied"

    @pytest.mark.parametrize("name", ["a\0b", "a\ud800"])
    def test_a_name_that_no_system_allows(self, tmp_path, name):
        store = DirectoryStore(str(tmp_path / name))
        assert message_of(store.read, ORGANIZATION) == UNREADABLE
        assert message_of(store.write, ORGANIZATION, KNOWN).startswith("cannot be written: ")

    @pytest.mark.parametrize("function", ["fsync", "replace"])
    def test_a_full_disk_keeps_the_old_file(self, store, path, monkeypatch, function):
        def fail(*_arguments):
            raise OSError(28, "No space left on device")

        store.write(ORGANIZATION, KNOWN)
        with monkeypatch.context() as patch:
            patch.setattr(_atomic_file.os, function, fail)
            assert message_of(store.write, ORGANIZATION, OTHER) == "cannot be written: No space left on device"
        assert store.read(ORGANIZATION) == KNOWN
        assert list(path.parent.iterdir()) == [path]

    def test_an_interruption_is_passed_on_and_keeps_the_old_file(self, store, path, monkeypatch):
        def interrupt(*_arguments):
            raise KeyboardInterrupt

        store.write(ORGANIZATION, KNOWN)
        with monkeypatch.context() as patch:
            patch.setattr(_atomic_file.os, "replace", interrupt)
            with pytest.raises(KeyboardInterrupt):
                store.write(ORGANIZATION, OTHER)
        assert store.read(ORGANIZATION) == KNOWN
        assert list(path.parent.iterdir()) == [path]


class TestRecall:
    @pytest.mark.parametrize("entry", ENTRIES)
    def test_what_is_known(self, store, entry):
        store.write(ORGANIZATION, entry)
        assert recall(store, ORGANIZATION) == (entry.token_fingerprint, [])

    def test_no_entry_is_another_secret(self, store):
        assert recall(store, ORGANIZATION) == (UNKNOWN_FINGERPRINT, [])

    @pytest.mark.parametrize(
        ("content", "reason"),
        [("{", UNREADABLE), ("{}", SOMETHING_ELSE), (document(token_fingerprint=None), NO_FINGERPRINT)],
    )
    def test_a_damaged_entry_is_another_secret_and_a_warning(self, store, path, content, reason):
        path.write_text(content)
        warning = f"The entry of organization {ORGANIZATION} in the fingerprint store {reason}."
        assert recall(store, ORGANIZATION) == (UNKNOWN_FINGERPRINT, [warning])


@pytest.fixture(scope="module")
def workers():
    """Processes of their own, as jobs and slices are."""
    with ProcessPoolExecutor(3, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


class TestProcesses:
    def test_writers_of_different_organizations(self, store, path, workers):
        entries = {f"0a1b2c3d-0000-4000-8000-{number:012}": Entry(f"sha256:{number:064x}") for number in range(60)}
        for result in [workers.submit(store.write, *item) for item in entries.items()]:
            result.result()
        assert sorted(file.stem for file in path.parent.iterdir()) == sorted(entries)
        assert {organization: store.read(organization) for organization in entries} == entries

    def test_a_reader_sees_one_of_the_writers_files_whole(self, store, path, workers):
        store.write(ORGANIZATION, KNOWN)
        values = [OTHER, KNOWN, None]
        writers = [workers.submit(store.write, ORGANIZATION, values[number % 3]) for number in range(200)]
        while not all(writer.done() for writer in writers):
            assert store.read(ORGANIZATION) in values
        for writer in writers:
            writer.result()
        assert set(path.parent.iterdir()) <= {path}

    def test_one_of_those_who_exchange_at_once_is_first(self, store, workers):
        results = [workers.submit(exchange_often, store, worker) for worker in range(3)]
        replaced = [entry for result in results for entry in result.result()]
        assert len(replaced) == len(set(replaced)) > 1


def exchange_often(store, worker):
    """Return the entries that were replaced. Each is written once only, and so must be replaced once only."""
    replaced = []
    for number in range(150):
        seen = store.read(ORGANIZATION)
        if store.exchange(ORGANIZATION, seen, Entry(UNKNOWN_FINGERPRINT, f"{worker}-{number}")):
            replaced.append(seen)
    return replaced


KILLED_WRITER = f"""
import os, signal, sys
from ansible_collections.datastax.astra.plugins.module_utils import _fingerprint_store
os.replace = lambda *_arguments: os.kill(os.getpid(), signal.SIGKILL)
store = _fingerprint_store.DirectoryStore(sys.argv[1])
store.write("{ORGANIZATION}", _fingerprint_store.Entry("{OTHER_FINGERPRINT}"))
"""


def test_a_killed_writer_does_no_harm(store, tmp_path, collections_path):
    """It is killed when all is written but the file has not yet appeared."""
    store.write(ORGANIZATION, KNOWN)
    command = [sys.executable, "-c", KILLED_WRITER, str(tmp_path / "store")]
    killed = subprocess.run(command, env={"PYTHONPATH": collections_path}, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert store.read(ORGANIZATION) == KNOWN


class Killed(Exception):
    """What ends a run at once, before it can do anything more."""


class World:
    """The service and the store, as far as the secret goes; ``step`` is called before anything that others can see.

    A run reads, writes what differs, and says what it has come to, as the module does.
    """

    def __init__(self, store, secret="one", topic="topic", step=lambda: None):
        self.store = store
        self.secret = secret  # what the service has; None when nothing is configured
        self.topic = topic
        self.step = step
        self.sent = []

    def read(self, organization_id):
        self.step()
        return self.store.read(organization_id)

    def write(self, organization_id, entry):
        self.step()
        self.store.write(organization_id, entry)

    def exchange(self, organization_id, expected, entry):
        self.step()
        return self.store.exchange(organization_id, expected, entry)

    def converge(self, secret, state="present", check_mode=False, fault=None, **options):
        """One run of the module with the store."""
        given = {"state": state, "pulsar_token": secret, "topic": "topic", **options}
        return run_with_store(self, ORGANIZATION, given, check_mode, lambda full: self._run(full, check_mode, fault))

    def _run(self, options, check_mode, fault):
        secret, topic = self.secret, self.topic
        if options["state"] == "absent":
            changed = secret is not None
            return self._finish(changed, None, None, check_mode, fault, {"token_fingerprint": None})
        fingerprint = compute_fingerprint(ORGANIZATION, options["pulsar_token"]) if options["pulsar_token"] else None
        known = options["known_token_fingerprint"] if options.get("update_token") != "on_create" else fingerprint
        differs = secret is None or topic != options["topic"]
        changed = differs or options.get("update_token") == "always" or bool(fingerprint and fingerprint != known)
        is_known = fingerprint and (changed or (fingerprint == known and options.get("update_token") != "on_create"))
        values = {"token_fingerprint": fingerprint if is_known else None}
        return self._finish(changed, options["pulsar_token"], options["topic"], check_mode, fault, values)

    def _finish(self, changed, secret, topic, check_mode, fault, values):
        if changed and not check_mode:
            self.step()
            if fault == "refused":
                return {"failed": True, "changed": False}
            if fault != "lost":
                self.secret, self.topic = secret, topic
                self.sent.append(secret)
            if fault:
                return {"failed": True, "changed": True}
        return {"changed": changed, **values}

    @property
    def claim(self):
        """The fingerprint that the store says the service has, or None where it does not know."""
        try:
            entry = self.store.read(ORGANIZATION)
        except StoreError:
            return None
        return entry.token_fingerprint if entry and entry.token_fingerprint != UNKNOWN_FINGERPRINT else None

    @property
    def truth(self):
        return compute_fingerprint(ORGANIZATION, self.secret) if self.secret else None


class Memory:
    """A store without files, to try many things in little time."""

    def __init__(self, entry=None):
        self.entry = entry

    def read(self, organization_id):
        return self.entry

    def write(self, organization_id, entry):
        self.entry = entry

    def exchange(self, organization_id, expected, entry):
        if self.entry != expected:
            return False
        self.entry = entry
        return True


def known(secret):
    return Entry(compute_fingerprint(ORGANIZATION, secret))


@pytest.fixture
def world(store):
    """An organization whose stream and entry have the secret "one"."""
    world = World(store)
    store.write(ORGANIZATION, known("one"))
    return world


class TestOneRun:
    def test_nothing_differs(self, world, path):
        inode = path.stat().st_ino
        result = world.converge("one")
        assert (result["changed"], world.sent) == (False, [])
        assert path.stat().st_ino == inode  # not even written again

    def test_a_rotation_is_sent_once(self, world):
        assert [world.converge("two")["changed"] for _time in range(3)] == [True, False, False]
        assert (world.sent, world.claim) == (["two"], world.truth)

    @pytest.mark.parametrize("content", [None, "{", "{}", document(version=2)])
    def test_what_the_store_does_not_know_is_sent_once_and_recorded(self, world, path, content):
        """A stream older than the store, an entry that was lost, and a damaged one."""
        path.unlink() if content is None else path.write_text(content)
        results = [world.converge("one") for _time in range(3)]
        assert [result["changed"] for result in results] == [True, False, False]
        assert [len(result.get("warnings", ())) for result in results] == [int(content is not None), 0, 0]
        assert (world.sent, world.claim) == (["one"], world.truth)

    def test_a_store_that_cannot_be_written_sends_it_every_time_and_says_so(self, tmp_path):
        (tmp_path / "store").touch()
        world = World(DirectoryStore(str(tmp_path / "store")))
        for _time in range(3):
            result = world.converge("one")
            assert result["changed"]
            [cannot_read, cannot_write] = result["warnings"]
            assert cannot_read == f"The entry of organization {ORGANIZATION} in the fingerprint store cannot be read."
            assert cannot_write.startswith(
                f"The entry of organization {ORGANIZATION} in the fingerprint store cannot be written: "
            )
            assert cannot_write.endswith("Until it can be, the secret is sent again in every run.")
        assert world.sent == ["one"] * 3

    def test_it_is_said_before_that_another_secret_is_about_to_be_sent(self, world):
        seen = []
        world.step = lambda: seen.append(world.store.read(ORGANIZATION))
        world.converge("two")
        announced = seen[-2 - (seen[-1] != seen[-2])]
        assert (announced.token_fingerprint, bool(announced.writer)) == (UNKNOWN_FINGERPRINT, True)
        assert world.claim == world.truth

    @pytest.mark.parametrize("secret", ["one", "two", None])
    @pytest.mark.parametrize("entry", [None, known("one"), known("two"), UNKNOWN, ANNOUNCED])
    @pytest.mark.parametrize("state", ["present", "absent"])
    def test_check_mode_writes_nothing(self, secret, entry, state):
        world = World(Memory(entry))
        checked = world.converge(secret, state, check_mode=True)
        assert (world.store.entry, world.sent, world.secret) == (entry, [], "one")
        assert checked["changed"] == world.converge(secret, state)["changed"]

    def test_absent_forgets(self, world):
        assert world.converge(None, "absent")["changed"]
        assert world.store.read(ORGANIZATION) is None
        assert world.converge("one")["changed"]
        assert world.claim == world.truth

    def test_a_fingerprint_that_is_given_comes_first(self, world):
        other = compute_fingerprint(ORGANIZATION, "two")
        assert world.converge("one", known_token_fingerprint=other)["changed"]
        assert world.claim == world.truth

    def test_the_secret_may_be_left_out(self, world):
        assert not world.converge(None)["changed"]
        assert world.claim == world.truth

    @pytest.mark.parametrize("entry", [None, known("one"), UNKNOWN, ANNOUNCED])
    def test_on_create_neither_sends_nor_claims_anything(self, entry):
        world = World(Memory(entry))
        assert not world.converge("two", update_token="on_create")["changed"]
        assert (world.sent, world.store.entry) == ([], entry)

    @pytest.mark.parametrize("secret", ["one", "two"])
    def test_a_refused_write_leaves_the_entry(self, world, secret):
        world.converge(secret, topic="another", fault="refused")
        assert world.store.read(ORGANIZATION) == known("one")

    @pytest.mark.parametrize("fault", ["lost", "arrived"])
    @pytest.mark.parametrize("secret", ["one", "two"])
    def test_a_write_that_may_have_been_made_is_sent_again(self, world, secret, fault):
        world.converge(secret, topic="another", fault=fault)
        assert world.claim is None
        assert [world.converge(secret, topic="another")["changed"] for _time in range(2)] == [True, False]
        assert world.claim == world.truth

    @pytest.mark.parametrize("entry", [None, known("one"), known("two"), UNKNOWN, ANNOUNCED])
    @pytest.mark.parametrize("secret", ["one", "two"])
    def test_killed_at_any_moment(self, entry, secret):
        """The next run puts it right, whatever it is told to send."""
        for steps in range(10):
            for then in ("one", "two"):
                world = World(Memory(entry), secret="one" if entry == known("one") else "two")
                world.step = kill_after(steps)
                try:
                    world.converge(secret)
                    finished = True
                except Killed:
                    finished = False
                assert world.claim in (None, world.truth)
                world.step = lambda: None
                world.converge(then)
                assert world.secret == then
                assert world.claim == world.truth
        assert finished


def kill_after(steps):
    left = iter(range(steps))

    def step():
        if next(left, None) is None:
            raise Killed

    return step


class Turns:
    """Lets two threads take steps in a given order, and the rest as it comes."""

    def __init__(self, order):
        self._order = list(order)
        self._condition = threading.Condition()
        self._running = {0, 1}

    def step(self, number):
        with self._condition:
            self._condition.wait_for(lambda: self._whose_turn() == number)
            if self._order:
                self._order.pop(0)
            self._condition.notify_all()

    def finish(self, number):
        with self._condition:
            self._running.discard(number)
            self._condition.notify_all()

    def _whose_turn(self):
        while self._order and self._order[0] not in self._running:
            self._order.pop(0)
        return self._order[0] if self._order else min(self._running)


def run_both(world, runs, order):
    """Make two runs at once, whose steps come in this order."""
    turns = Turns(order)
    names = {}
    world.step = lambda: turns.step(names[threading.get_ident()])

    def work(number, options):
        names[threading.get_ident()] = number
        turns.step(number)  # so that both have begun
        try:
            world.converge(**options)
        finally:
            turns.finish(number)

    threads = [threading.Thread(target=work, args=item) for item in enumerate(runs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    world.step = lambda: None


ROTATION = {"secret": "two"}
OTHER_ROTATION = {"secret": "three"}
UNCHANGED = {"secret": "one"}
OLD_CHECKOUT = {"secret": "one", "topic": "another"}
SLICES = {
    "two rotations": (ROTATION, OTHER_ROTATION),
    "the same rotation twice": (ROTATION, ROTATION),
    "a rotation and an old checkout": (ROTATION, OLD_CHECKOUT),
    "a rotation and an unchanged one": (ROTATION, UNCHANGED),
    "a rotation and a refused one": (ROTATION, {**OTHER_ROTATION, "fault": "refused"}),
    "a rotation and one whose answer is lost": (ROTATION, {**OTHER_ROTATION, "fault": "arrived"}),
    "a rotation and a removal": (ROTATION, {"secret": None, "state": "absent"}),
    "a rotation and one that always sends": (ROTATION, {**UNCHANGED, "update_token": "always"}),
    "a rotation and one that never does": (ROTATION, {**OTHER_ROTATION, "update_token": "on_create"}),
}
LONGEST = 6  # steps of a run: beginning, read, announce, send, read, settle


@pytest.mark.parametrize(
    "entry", [None, known("one"), UNKNOWN, ANNOUNCED], ids=["none", "known", "unknown", "left over"]
)
@pytest.mark.parametrize("runs", SLICES.values(), ids=SLICES)
def test_two_runs_at_once_never_leave_a_claim_that_is_wrong(runs, entry):
    """In every order of their steps. What is known for certain may be claimed; a third run puts everything right."""
    claims = set()
    for places in itertools.combinations(range(2 * LONGEST), LONGEST):
        order = [int(place not in places) for place in range(2 * LONGEST)]
        world = World(Memory(entry))
        run_both(world, runs, order)
        assert world.claim in (None, world.truth), order
        claims.add(world.claim)
        world.converge("two")
        assert world.claim == world.truth == compute_fingerprint(ORGANIZATION, "two")
    assert claims - {None}  # it is not always at a loss
