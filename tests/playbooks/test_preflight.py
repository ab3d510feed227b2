# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The preflight: every mistake of every organization on one screen, before anything is sent."""

from __future__ import annotations

import base64
import re
import time

from tests.playbooks.conftest import ADMINISTRATORS, CLIENT_CONF, IDS, NAMES, READERS
from tests.wire.support import ENDPOINT, PULSAR_TOKEN, jwt

PREFLIGHT = "datastax.astra.audit_log_stream_preflight"
SKIP = ("-e", "audit_log_stream_on_problem=skip")
STATED = r" \(inventory/hosts\.yml:\d+\)"  # where a variable is set
DAY = 86400  # seconds


def options(**variables):
    """Variables of the role."""
    return {f"audit_log_stream_{name}": value for name, value in variables.items()}


def problems(run):
    """What is wrong with which organization, without the places."""
    return {name: [re.sub(STATED, "", why) for why in found] for name, found in run.section("Problems").items()}


def test_every_problem_of_every_organization_is_on_one_screen(fleet):
    fleet.write("damaged.conf", CLIENT_CONF.replace("AuthenticationToken", "AuthenticationSasl"))
    fleet.describe(
        hosts={
            "acme-1": options(topic="security/audit", endpoint="http://broker:8080"),
            "acme-2": options(pulsar_token="{{ vault_expired }}", topic=None),
            "acme-3": options(state="sometimes", pulsar_token="{{ vault_expired }}"),
            "acme-4": options(application_token="{{ vault_there_is_no_such }}"),
            "acme-5": options(client_conf="damaged.conf"),
            "acme-6": options(client_conf="there/is/no/such.conf", organization_id="acme-6"),
        },
        audit_log_stream_topic="acme/security/audit",
    )
    fleet.keep_secret(vault_administrators=ADMINISTRATORS, vault_expired=jwt(exp=1_600_000_000))
    run = fleet.play(status=2)
    found = problems(run)
    assert sorted(found) == NAMES
    assert found["acme-1"] == [
        "audit_log_stream_endpoint is a web URL, give the broker URL, which starts with pulsar+ssl://.",
        "audit_log_stream_topic must be written as persistent://tenant/namespace/topic.",
    ]
    assert found["acme-2"] == ["audit_log_stream_pulsar_token expired on 2020-09-13T12:26:40Z: create a new one."]
    assert sorted(found["acme-3"]) == [
        *found["acme-2"],
        "audit_log_stream_state must be one of present, absent.",
    ]
    [undefined] = found["acme-4"]
    assert undefined.startswith("audit_log_stream_application_token cannot be read: ")
    assert "'vault_there_is_no_such'" in undefined
    assert found["acme-5"] == [
        "audit_log_stream_client_conf line 3: authPlugin must be AuthenticationToken or AuthenticationOAuth2: "
        "audit log streaming cannot use Athenz, SASL, TLS, basic or any other authentication."
    ]
    assert found["acme-6"][0].startswith("audit_log_stream_client_conf names a file that is in none of these places: ")
    assert found["acme-6"][1:] == [
        "audit_log_stream_organization_id must be the organization's UUID, as the Astra portal shows it."
    ]
    assert run.headline() == "Audit log streaming: all 6 organizations have problems"
    assert " ".join(run.report()[-2:]) == (
        "Nothing was sent to any organization. Correct these, or add -e audit_log_stream_on_problem=skip to go on "
        "without them."
    )
    assert fleet.requests() == {}


def test_one_wrong_organization_stops_all(fleet):
    """Those that are right are not listed; who is wrong fails with what is wrong there."""
    fleet.describe(
        hosts={
            "acme-2": options(pulsar_token="{{ vault_readers[inventory_hostname] }}"),
            "acme-3": options(endpoint=ENDPOINT.replace("useast2", "eucentral1")),
            "acme-4": options(
                oauth2_credentials_url="file:///somewhere", oauth2_issuer_url="https://login.example.com/"
            ),
        }
    )
    run = fleet.play(status=2)
    expected = {
        "acme-2": [
            "audit_log_stream_pulsar_token is an Astra application token: give the Pulsar JWT of the streaming tenant."
        ],
        "acme-3": [
            "audit_log_stream_endpoint is an Astra Streaming broker outside AWS us-east-2, where audit logs would "
            "never arrive: use a tenant in that region, or set audit_log_stream_validate_region to false."
        ],
        "acme-4": [
            "audit_log_stream_oauth2_credentials_url is a file: URL, which would point into the service's own machine: "
            "give the credentials as a data: URL."
        ],
    }
    assert problems(run) == expected
    # Ansible shows them as they end.
    assert sorted(re.findall(r"^fatal: \[(.*?)\]", run.screen, re.MULTILINE)) == ["acme-2", "acme-3", "acme-4"]
    assert run.headline() == "Audit log streaming: 3 of 6 organizations have problems"
    assert len(run.reports()) == 1  # each problem is said once, below the failures
    assert "--limit" not in run.screen  # the others would be left out
    assert not any(token in run.screen for token in (PULSAR_TOKEN, *READERS.values()))
    assert fleet.requests() == {}


def test_a_mistake_that_all_share_is_shown_once_with_its_place(fleet):
    fleet.describe(audit_log_stream_topic="security/audit", audit_log_stream_updat_token="always")
    run = fleet.play(playbook=PREFLIGHT, status=2)
    number = (
        (fleet.directory / "inventory/hosts.yml")
        .read_text()
        .splitlines()
        .index("    audit_log_stream_topic: security/audit")
    )
    place = f"(inventory/hosts.yml:{number + 1})"
    report = " ".join(" ".join(run.report()).split())
    assert report.count(f"audit_log_stream_topic {place} must be written as persistent://tenant/namespace/topic.") == 1
    assert report.count("is not a known variable; did you mean audit_log_stream_update_token?") == 1
    assert report.count("acme-1, acme-2, acme-3, acme-4, acme-5, acme-6") == 2


def test_what_works_as_an_extra_variable_alone(fleet):
    """In the inventory it would be passed over in silence."""
    fleet.describe(audit_log_stream_serial=1, hosts={"acme-1": options(hosts="acme-1")})
    run = fleet.play("-e", "audit_log_stream_hosts=acme-1:acme-2", playbook=PREFLIGHT, status=2)
    reason = "audit_log_stream_serial is a keyword of the play, so it works only as an extra variable (-e)."
    assert problems(run) == {"acme-1": [reason], "acme-2": [reason]}


def test_what_is_one_for_the_run_cannot_differ(fleet):
    fleet.describe(hosts={"acme-1": options(concurrency=3)}, audit_log_stream_concurrency=4)
    run = fleet.play(playbook=PREFLIGHT, status=2)
    reason = "audit_log_stream_concurrency is one for the whole run, but not the same for all organizations."
    assert problems(run) == {name: [reason] for name in NAMES}


def test_two_hosts_with_one_organization(fleet):
    """By id, whatever its spelling, and by token where that is to tell the organization."""
    by_token = options(organization_id=None, application_token="{{ vault_administrators['acme-5'] }}")
    upper = options(organization_id=IDS["acme-1"].upper())
    fleet.describe(hosts={"acme-2": upper, "acme-3": upper, "acme-5": by_token, "acme-6": by_token})
    assert problems(fleet.play(status=2)) == {
        "acme-1": ["is the same organization as acme-2, acme-3."],
        "acme-2": ["is the same organization as acme-1, acme-3."],
        "acme-3": ["is the same organization as acme-1, acme-2."],
        "acme-5": ["is the same organization as acme-6."],
        "acme-6": ["is the same organization as acme-5."],
    }
    assert fleet.requests() == {}


def test_warnings_stop_nothing(fleet):
    soon, later = int(time.time()) + 3 * DAY, int(time.time()) + 300 * DAY
    tenant = base64.b64encode(b"other-tenant").decode()
    fleet.describe(
        hosts={
            "acme-1": options(pulsar_token="{{ vault_soon }}"),
            "acme-2": options(pulsar_token="{{ vault_later }}"),
            "acme-3": options(pulsar_token="{{ vault_other_tenant }}"),
            "acme-4": options(pulsar_token="{{ vault_soon }}"),
        }
    )
    fleet.keep_secret(
        vault_administrators=ADMINISTRATORS,
        vault_soon=jwt(exp=soon),
        vault_later=jwt(exp=later),
        vault_other_tenant=jwt(sub=f"client;{IDS['acme-3']};{tenant};Y2xpZW50"),
    )
    run = fleet.play(playbook=PREFLIGHT)
    day = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(soon))
    assert run.headline() == "Audit log streaming: the variables of all 6 organizations are in order"
    remarks = " ".join(" ".join(run.report()).split())
    assert f"acme-1, acme-4: audit_log_stream_pulsar_token expires on {day}, within 14 days." in remarks
    assert "acme-3: audit_log_stream_pulsar_token belongs to another tenant than the topic's." in remarks
    assert fleet.requests() == {}
    # The same is said where it is applied.
    run = fleet.play("--limit", "acme-1,acme-3")
    assert f"acme-1: audit_log_stream_pulsar_token expires on {day}, within 14 days." in " ".join(run.report())
    assert (run.screen + run.errors).count(day) == 1
    assert len(fleet.requests()) == 2


def test_absent_needs_no_client_conf_and_an_expired_token_does_not_matter(fleet):
    fleet.describe(audit_log_stream_state="absent", hosts={"acme-1": options(client_conf="there/is/no/such.conf")})
    fleet.write("client.conf", CLIENT_CONF.format(token=jwt(exp=1)))
    assert "Problem" not in fleet.play(playbook=PREFLIGHT).screen


def test_skipping_those_with_problems(fleet):
    """Then every organization is for itself: those that are right are configured."""
    fleet.describe(
        hosts={
            "acme-1": options(topic="security/audit"),
            "acme-2": options(application_token="{{ vault_there_is_no_such }}"),
            "acme-3": options(organization_id=IDS["acme-4"], application_token="{{ vault_administrators['acme-4'] }}"),
        }
    )
    run = fleet.play(*SKIP, status=2)
    assert run.headline() == "Audit log streaming: 6 organizations: 4 failed, 2 created"
    assert set(run.failures()) == {"acme-1", "acme-2", "acme-3", "acme-4"}
    assert fleet.requests().keys() == {"acme-5", "acme-6"}


def test_alone(fleet):
    run = fleet.play(playbook=PREFLIGHT)
    assert run.report() == ["Audit log streaming: the variables of all 6 organizations are in order"]
    fleet.describe(hosts={"acme-4": options(pulsar_token="{{ vault_cut_off }}")})
    fleet.keep_secret(vault_administrators=ADMINISTRATORS, vault_cut_off=PULSAR_TOKEN[:20])
    run = fleet.play("--check", playbook=PREFLIGHT, status=2)
    reason = "audit_log_stream_pulsar_token is not a JWT: it must have three parts separated by dots."
    assert problems(run) == {"acme-4": [reason]}
    assert re.findall(r"^fatal: \[(.*?)\]", run.screen, re.MULTILINE) == ["acme-4"]
    assert fleet.requests() == {}
