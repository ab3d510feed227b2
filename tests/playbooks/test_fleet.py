# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The apply playbook and the role on a fleet: exit status, summary, and what reached the service."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from tests.playbooks.conftest import ADMINISTRATORS, APPLY, CLIENT_CONF, GROUP, IDS, NAMES, READER
from tests.wire.support import (
    CREDENTIALS_URL,
    ENDPOINT,
    OAUTH2_BODY,
    OTHER_PULSAR_TOKEN,
    PULSAR_TOKEN,
    TOKEN_BODY,
    TOKEN_STREAM,
    TOPIC,
    jwt,
)

# First the plan reads; who differs is read again by the role. Where nothing is configured, the token's organization is
# asked for as well.
CREATED = ["GET", "GET", "GET", "POST", "GET"]
PLANNED = ["GET", "GET"]  # and not created
UPDATED = ["GET", "GET", "POST", "GET"]
DELETED = ["GET", "GET", "DELETE", "GET"]
UNCHANGED = FAILED = ["GET"]
DRIFTED = {"pulsar": {**TOKEN_BODY["pulsar"], "topic": "persistent://acme/security/elsewhere"}}
STOPPED = "Stopped: too many organizations of this batch failed, so the next ones were left alone."


def headline(total, *, check=False, failed=0, created=0, updated=0, deleted=0, unchanged=0, not_run=0):
    """The line that sums up a run."""
    start = "Audit log streaming, check mode: " if check else "Audit log streaming: "
    if unchanged == total:
        return f"{start}all {total} organizations are as they should be"
    would = "would be " if check else ""
    counts = {"failed": failed, f"{would}created": created, f"{would}updated": updated, f"{would}deleted": deleted}
    counts |= {"unchanged": unchanged, "not run": not_run}
    found = {word: count for word, count in counts.items() if count}
    if len(found) == 1:
        return f"{start}{'1 organization' if total == 1 else f'all {total} organizations'} {next(iter(found))}"
    return f"{start}{total} organizations: {', '.join(f'{count} {word}' for word, count in found.items())}"


def lacks_the_role(name=None):
    """Why an organization fails whose token lacks the role; of several the id is left out."""
    whose = f" of organization {IDS[name]}" if name else ""
    return (
        f"Reading the audit log configuration{whose} failed: the service answered 403, The role "
        "Organization Administrator or the permission org-audits-read is needed (ID 2403): the application token "
        "needs the role Organization Administrator or the permission org-audits-read."
    )


def failing(*names):
    """Variables with which these organizations fail."""
    return dict.fromkeys(names, READER)


def reasons(*names):
    """The failures of these organizations."""
    return {name: lacks_the_role(name if len(names) == 1 else None) for name in names}


def statistics(run):
    """What the run says to whatever follows it."""
    return json.loads(re.search(r"^\tRUN: (.*)$", run.screen, re.MULTILINE)[1])


def each(names, methods):
    """The same requests for each of these organizations."""
    return dict.fromkeys(names, methods)


class TestOutcomes:
    def test_all_well(self, fleet):
        run = fleet.play()
        assert run.headline() == headline(6, created=6)
        assert fleet.requests() == each(NAMES, CREATED)
        assert fleet.streams() == dict.fromkeys(NAMES, TOKEN_BODY)

        run = fleet.play()
        assert run.headline() == headline(6, unchanged=6)
        assert fleet.requests() == each(NAMES, UNCHANGED)

        fleet.describe(hosts={"acme-1": {"audit_log_stream_state": "absent"}})
        fleet.configure("acme-2", body=DRIFTED)
        run = fleet.play()
        assert run.headline() == headline(6, updated=1, deleted=1, unchanged=4)
        assert fleet.requests() == {**each(NAMES, UNCHANGED), "acme-1": DELETED, "acme-2": UPDATED}
        assert fleet.streams() == {**dict.fromkeys(NAMES, TOKEN_BODY), "acme-1": None}

    # Tasks that run once run on the first host.
    @pytest.mark.parametrize("name", ["acme-1", "acme-4"])
    def test_one_failure_does_not_stop_the_others(self, fleet, name):
        fleet.describe(hosts=failing(name))
        run = fleet.play(status=2, ANSIBLE_SHOW_CUSTOM_STATS="1")
        assert run.headline() == headline(6, created=5, failed=1)
        assert run.failures() == reasons(name)
        assert fleet.requests() == {**each(NAMES, CREATED), name: FAILED}
        stats = statistics(run)
        counts = {"created": 5, "updated": 0, "deleted": 0, "unchanged": 0, "failed": 1, "not run": 0}
        assert stats == {"audit_log_stream_counts": counts, "audit_log_stream_failed": [name]}

    def test_all_fail(self, fleet):
        fleet.describe(hosts=failing(*NAMES))
        run = fleet.play(status=2)
        assert run.headline() == headline(6, failed=6)
        assert run.failures() == reasons(*NAMES)
        assert fleet.requests() == each(NAMES, FAILED)

    def test_limit(self, fleet):
        fleet.describe(hosts=failing("acme-3"))
        run = fleet.play("--limit", "acme-2,acme-3", status=2)
        assert run.headline() == headline(2, created=1, failed=1)
        assert run.failures() == reasons("acme-3")
        assert fleet.requests() == {"acme-2": CREATED, "acme-3": FAILED}

        run = fleet.play("--limit", "acme-3", status=2)
        assert run.headline() == headline(1, failed=1)
        assert run.failures() == reasons("acme-3")
        assert fleet.requests() == {"acme-3": FAILED}

    def test_another_choice_of_hosts(self, fleet):
        run = fleet.play("-e", "audit_log_stream_hosts=acme-5:acme-6")
        assert run.headline() == headline(2, created=2)
        assert fleet.requests() == each(["acme-5", "acme-6"], CREATED)

    def test_the_token_tells_the_organization_and_the_environment_the_token(self, fleet):
        own = {"audit_log_stream_organization_id": None, "audit_log_stream_application_token": None}
        fleet.describe(names=["acme-6"], hosts={"acme-6": own}, audit_log_stream_api_url=None)
        environment = {"ASTRA_DB_APPLICATION_TOKEN": ADMINISTRATORS["acme-6"], "ASTRA_API_URL": fleet.service.api_url}
        assert fleet.play(**environment).headline() == headline(1, created=1)
        # Once for the plan and once for the role; then it is known that the organization is the token's.
        # Plan and role both have to find out whose the token is.
        assert fleet.requests() == {"acme-6": ["GET", *CREATED]}
        assert fleet.streams()["acme-6"] == TOKEN_BODY

    def test_check_mode_foresees_the_real_run(self, fleet):
        fleet.describe(hosts={"acme-1": {"audit_log_stream_state": "absent"}, **failing("acme-5")})
        fleet.configure("acme-1", "acme-3")
        fleet.configure("acme-2", body=DRIFTED)
        expected = {"updated": 1, "deleted": 1, "unchanged": 1, "created": 2, "failed": 1}
        before = fleet.streams()

        checked = fleet.play("--check", "--diff", status=2)
        assert checked.headline() == headline(6, check=True, **expected)
        assert {method for methods in fleet.requests().values() for method in methods} == {"GET"}
        assert fleet.streams() == before

        real = fleet.play("--diff", status=2)
        assert real.headline() == headline(6, **expected)
        assert checked.failures() == real.failures() == reasons("acme-5")
        # Other lines of a screen begin with spaces, too, and are broken elsewhere in check mode.
        line = re.compile(r"^[-+ ](?:[{}]| {4}\S).*$", re.MULTILINE)
        differences = sorted(line.findall(checked.screen))
        assert differences == sorted(line.findall(real.screen))
        assert '+    "pulsar_token": "********",' in differences
        assert '+    "pulsar_token": "******** (sent again)",' in differences
        assert '-    "topic": "persistent://acme/security/elsewhere"' in differences
        assert PULSAR_TOKEN not in checked.screen + real.screen

    def test_tags(self, fleet):
        assert fleet.play("--tags", "other").reports() == []
        assert fleet.requests() == {}
        assert fleet.play("--tags", "audit_log_stream").headline() == headline(6, created=6)


class TestCanary:
    """Batches by audit_log_stream_serial."""

    @staticmethod
    def batches(*sizes, **variables):
        return "-e", json.dumps({"audit_log_stream_serial": sizes, **variables})

    def test_all_well(self, fleet):
        run = fleet.play(*self.batches(1, "50%"))
        assert run.headline() == headline(6, created=6)
        writes = [entry["organization_id"] for entry in fleet.service.journal() if entry["method"] == "POST"]
        assert writes[0] == IDS["acme-1"], "the canary comes first"
        assert fleet.requests() == each(NAMES, CREATED)

    def test_too_many_failures_leave_the_next_batches_alone(self, fleet):
        fleet.describe(hosts=failing("acme-2"))
        run = fleet.play(*self.batches(1, 2, "100%", audit_log_stream_max_fail_percentage=49), status=2)
        assert run.headline() == headline(6, created=2, failed=1, not_run=3)
        assert STOPPED in " ".join(run.report())
        assert run.failures() == reasons("acme-2")
        planned = each(["acme-4", "acme-5", "acme-6"], PLANNED)
        assert fleet.requests() == {"acme-1": CREATED, "acme-2": FAILED, "acme-3": CREATED, **planned}

    def test_as_many_failures_as_allowed(self, fleet):
        fleet.describe(hosts=failing("acme-2", "acme-6"))
        run = fleet.play(*self.batches(1, 2, "100%", audit_log_stream_max_fail_percentage=50), status=2)
        assert run.headline() == headline(6, created=4, failed=2)
        assert STOPPED not in " ".join(run.report())
        assert run.failures() == reasons("acme-2", "acme-6")

    def test_a_batch_that_fails_as_a_whole(self, fleet):
        fleet.describe(hosts=failing("acme-1", "acme-2"))
        run = fleet.play(*self.batches(2), status=2)
        assert run.headline() == headline(6, failed=2, not_run=4)
        assert STOPPED in " ".join(run.report())
        assert run.failures() == reasons("acme-1", "acme-2")
        assert fleet.requests() == {**each(NAMES, PLANNED), "acme-1": FAILED, "acme-2": FAILED}


class TestSlices:
    """A job of AWX that is sliced gets every n-th host."""

    def test_together_they_equal_one_run(self, fleet):
        hosts = {**failing("acme-2"), "acme-3": {"audit_log_stream_state": "absent"}}
        fleet.describe(hosts=hosts)
        fleet.configure("acme-3")
        whole = fleet.play(status=2, ANSIBLE_SHOW_CUSTOM_STATS="1")
        requests, streams = fleet.requests(), fleet.streams()

        fleet.service.reset()
        fleet.configure("acme-3")
        parts = []
        for start, status in ((0, 0), (1, 2), (2, 0)):
            fleet.describe(names=NAMES[start::3], hosts=hosts)
            parts.append(fleet.play(status=status, ANSIBLE_SHOW_CUSTOM_STATS="1"))
        assert fleet.requests() == requests
        assert fleet.streams() == streams
        assert parts[1].failures() == whole.failures()
        counts = [each["audit_log_stream_counts"] for each in map(statistics, parts)]
        total = {kind: sum(count[kind] for count in counts) for kind in counts[0]}
        assert total == statistics(whole)["audit_log_stream_counts"]
        assert whole.headline() == headline(6, created=4, deleted=1, failed=1)

    @pytest.mark.parametrize("playbook", [APPLY, f"{APPLY}_preflight", f"{APPLY}_info"])
    def test_an_empty_one_is_a_success_that_says_so(self, fleet, playbook):
        fleet.describe(names=[])
        run = fleet.play(playbook=playbook)
        assert "the inventory, or this slice of it, leaves no organization, so there is nothing to do" in run.screen
        assert fleet.requests() == {}

    def test_a_limit_that_leaves_nothing(self, fleet):
        run = fleet.play("-e", "audit_log_stream_hosts=acme-1", "--limit", "acme-2")
        assert "Audit log streaming: the limit leaves no organization, so there is nothing to do" in run.screen
        assert fleet.requests() == {}

    @pytest.mark.parametrize("pattern", ["acme-9", "acme-9:!acme-1", "nonesuch", ["nonesuch", "acme-9"], "acme-9*"])
    def test_a_pattern_that_names_nothing_fails(self, fleet, pattern):
        run = fleet.play("-e", json.dumps({"audit_log_stream_hosts": pattern}), status=4)
        assert "names no host or group of the inventory" in run.screen + run.errors
        assert fleet.requests() == {}

    def test_no_inventory_at_all(self, fleet):
        """A check of the syntax needs none, and a run does."""
        fleet.write("inventory/hosts.yml", "all:\n")
        (fleet.directory / f"inventory/group_vars/{GROUP}/vault.yml").unlink()
        fleet.play("--syntax-check")
        assert "names no host or group of the inventory, which is empty" in fleet.play(status=2).screen

    @pytest.mark.parametrize("pattern", ["acme-1,nonesuch", ["acme-1", "nonesuch"], "acme-1*", f"{GROUP}:&acme-1"])
    def test_a_pattern_that_names_something(self, fleet, pattern):
        fleet.play("-e", json.dumps({"audit_log_stream_hosts": pattern}))
        assert fleet.requests() == {"acme-1": CREATED}


class TestThrottle:
    LATENCY = 0.4

    @pytest.fixture(autouse=True)
    def _slow_service(self, fleet):
        fleet.service.settings(latency=self.LATENCY)

    def most_at_once(self, fleet, requests_each=1):
        """How many requests the service was working on at once, at most."""
        starts = [entry["time"] for entry in fleet.service.journal()]
        assert len(starts) == len(NAMES) * requests_each
        return max(sum(start <= moment < start + self.LATENCY for start in starts) for moment in starts)

    def test_without(self, fleet):
        fleet.configure(*NAMES)
        fleet.play("--forks", "6")
        assert self.most_at_once(fleet) > 2

    def test_of_the_plan(self, fleet):
        fleet.configure(*NAMES)
        fleet.play("--forks", "6", "-e", "audit_log_stream_throttle=2")
        assert self.most_at_once(fleet) == 2

    @pytest.mark.parametrize("per_host", [True, False])
    def test_of_those_that_differ(self, fleet, per_host):
        fleet.play("--forks", "6", "-e", f"audit_log_stream_throttle=2 audit_log_stream_per_host={per_host}")
        assert self.most_at_once(fleet, 4 if per_host else 5) == 2

    def test_of_those_that_differ_without(self, fleet):
        fleet.play("--forks", "6")
        assert self.most_at_once(fleet, 5) > 2

    def test_of_the_role(self, fleet):
        TestOwnPlay.play(fleet, "--forks", "6", variables={"audit_log_stream_throttle": 2})
        assert self.most_at_once(fleet, 4) == 2

    def test_is_one_for_the_whole_run(self, fleet):
        fleet.describe(audit_log_stream_throttle=3, hosts={"acme-2": {"audit_log_stream_throttle": 1}})
        run = fleet.play(status=2)
        assert (
            "audit_log_stream_throttle is one for the whole run, but not the same for all organizations" in run.screen
        )
        assert fleet.requests() == {}

    def test_divided_among_slices(self, fleet):
        fleet.configure(*NAMES)
        slices = [NAMES[0::2], NAMES[1::2]]
        options = ["--forks", "6", "-e", "audit_log_stream_throttle=1"]
        running = [fleet.start("--limit", ",".join(names), *options) for names in slices]
        for process in running:
            screen, errors = process.communicate(timeout=120)
            assert process.returncode == 0, screen + errors
        assert self.most_at_once(fleet) <= 2


class TestOwnPlay:
    """The role in a play of the user's own."""

    @staticmethod
    def play(fleet, *arguments, status=0, variables=None, **keywords):
        role = {"role": "datastax.astra.audit_log_stream", "vars": variables or {}}
        play = {"name": "Own", "hosts": GROUP, "gather_facts": False, **keywords, "roles": [role]}
        path = fleet.write("own.yml", yaml.safe_dump([play], sort_keys=False))
        return fleet.play(*arguments, playbook=str(path), status=status)

    @pytest.mark.parametrize("strategy", ["free", "host_pinned"])
    def test_strategies(self, fleet, strategy):
        fleet.describe(hosts=failing("acme-3"))
        run = self.play(fleet, status=2, strategy=f"ansible.builtin.{strategy}")
        assert re.findall(r"^fatal: \[(.*?)\]", run.screen, re.MULTILINE) == ["acme-3"]
        # Without a plan before it.
        assert fleet.requests() == {**each(NAMES, CREATED[1:]), "acme-3": FAILED}

    def test_arguments_are_validated(self, fleet):
        variables = {"audit_log_stream_state": "maybe", "audit_log_stream_wait_timeout": "soon"}
        run = self.play(fleet, "-vvv", status=2, variables=variables)
        assert run.screen.count("must be one of: present, absent, got: maybe") >= 6
        assert "cannot be converted to an int" in run.screen
        assert fleet.requests() == {}
        assert not any(secret in run.screen + run.errors for secret in (PULSAR_TOKEN, *ADMINISTRATORS.values()))


class TestClientConf:
    def test_where_it_is_looked_for(self, fleet, ansible_environment):
        tokens = {name: jwt(jti=name) for name in NAMES}
        fleet.write_client_conf(tokens["acme-1"], "both.conf")
        fleet.write_client_conf("shadowed", "inventory/both.conf")
        fleet.write_client_conf(tokens["acme-2"], "inventory/conf/beside.conf")
        fleet.write("vaulted.conf", CLIENT_CONF.format(token=tokens["acme-3"]), vaulted=True)
        fleet.write_client_conf(tokens["acme-4"], f"{ansible_environment['HOME']}/at-home.conf")
        absolute = fleet.write_client_conf(tokens["acme-5"], "absolute.conf")
        found = {
            "acme-1": "both.conf",
            "acme-2": "conf/beside.conf",
            "acme-3": "vaulted.conf",
            "acme-4": "~/at-home.conf",
            "acme-5": str(absolute),
            "acme-6": "there/is/no/such.conf",
        }
        hosts = {name: {"audit_log_stream_client_conf": path} for name, path in found.items()}
        hosts["acme-6"]["audit_log_stream_client_conf_content"] = "{{ vault_client_conf }}"
        fleet.describe(hosts=hosts)
        fleet.keep_secret(
            vault_administrators=ADMINISTRATORS, vault_client_conf=CLIENT_CONF.format(token=tokens["acme-6"])
        )
        assert fleet.play().headline() == headline(6, created=6)
        assert {name: stream["pulsar"]["token"] for name, stream in fleet.streams().items()} == tokens

    def test_what_is_overridden_may_be_unusable(self, fleet):
        fleet.write_client_conf("x", "file-token.conf")
        fleet.write("file-token.conf", CLIENT_CONF.replace("token:{token}", "file:///on/another/machine"))
        fleet.write("no-broker.conf", "".join(CLIENT_CONF.format(token=PULSAR_TOKEN).splitlines(keepends=True)[2:]))
        oauth2 = {name: value for name, value in OAUTH2_BODY["pulsar"].items() if name not in ("endpoint", "topic")}
        oauth2["oauth2_credentials_url"] = "{{ vault_credentials_url }}"
        hosts = {
            "acme-1": {"client_conf": "file-token.conf", "pulsar_token": "{{ vault_pulsar_token }}"},
            "acme-2": {"client_conf": "no-broker.conf", "endpoint": ENDPOINT.removeprefix("pulsar+")},
            "acme-3": oauth2,
            "acme-4": {"client_conf": None, "endpoint": ENDPOINT, "pulsar_token": "{{ vault_pulsar_token }}"},
            "acme-5": {"client_conf": "there/is/no/such.conf", "state": "absent"},
            "acme-6": {"auth_strategy": "token", "topic": TOPIC.removeprefix("persistent://")},
        }
        fleet.describe(
            hosts={
                name: {f"audit_log_stream_{option}": value for option, value in variables.items()}
                for name, variables in hosts.items()
            }
        )
        fleet.keep_secret(
            vault_administrators=ADMINISTRATORS,
            vault_pulsar_token=OTHER_PULSAR_TOKEN,
            vault_credentials_url=CREDENTIALS_URL,
        )
        fleet.configure("acme-5")
        assert fleet.play().headline() == headline(6, created=5, deleted=1)
        overridden = {"pulsar": {**TOKEN_STREAM, "token": OTHER_PULSAR_TOKEN}}
        assert fleet.streams() == {
            "acme-1": overridden,
            "acme-2": TOKEN_BODY,
            "acme-3": OAUTH2_BODY,
            "acme-4": overridden,
            "acme-5": None,
            "acme-6": TOKEN_BODY,
        }


def test_a_rotated_token_is_sent_exactly_once(fleet):
    """The role remembers in a directory which token was sent; a relative path starts at the working directory."""
    names = NAMES[:2]
    fleet.describe(names=names, audit_log_stream_fingerprint_store="fingerprints")
    assert fleet.play().headline() == headline(2, created=2)
    files = [fleet.directory / "fingerprints/audit_log_stream" / f"{IDS[name]}.json" for name in names]
    assert sorted((fleet.directory / "fingerprints/audit_log_stream").iterdir()) == files

    fleet.write_client_conf(OTHER_PULSAR_TOKEN)
    fleet.requests()
    assert fleet.play().headline() == headline(2, updated=2)
    assert fleet.requests() == each(names, UPDATED)
    assert fleet.streams()["acme-2"]["pulsar"]["token"] == OTHER_PULSAR_TOKEN

    assert fleet.play().headline() == headline(2, unchanged=2)
    assert fleet.requests() == each(names, UNCHANGED)
    assert not any(OTHER_PULSAR_TOKEN in file.read_text() for file in files)
