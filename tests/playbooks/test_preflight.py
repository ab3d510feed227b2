# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The preflight: every mistake of every organization in one table, before anything is sent."""

from __future__ import annotations

import base64
import time

from tests.playbooks.conftest import ADMINISTRATORS, CLIENT_CONF, IDS, NAMES, READERS
from tests.wire.support import ENDPOINT, PULSAR_TOKEN, jwt

PREFLIGHT = "datastax.astra.audit_log_stream_preflight"
OFF = ("-e", "audit_log_stream_preflight=false")
DAY = 86400  # seconds


def options(**variables):
    """Variables of the role."""
    return {f"audit_log_stream_{name}": value for name, value in variables.items()}


def test_every_problem_of_every_organization_is_in_one_table(fleet):
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
    table = run.table()
    assert list(table) == NAMES
    assert table["acme-1"] == [
        "endpoint is a web URL, give the broker URL, which starts with pulsar+ssl://.",
        "topic must be written as persistent://tenant/namespace/topic.",
    ]
    assert table["acme-2"] == ["pulsar_token expired on 2020-09-13T12:26:40Z: create a new one."]
    assert table["acme-3"] == ["value of state must be one of: present, absent, got: sometimes", *table["acme-2"]]
    [undefined] = table["acme-4"]
    assert undefined.startswith("audit_log_stream_application_token cannot be read: 'vault_there_is_no_such'")
    assert table["acme-5"] == [
        "client.conf line 3: authPlugin must be AuthenticationToken or AuthenticationOAuth2: audit log streaming "
        "cannot use "
        "Athenz, SASL, TLS, basic or any other authentication."
    ]
    assert table["acme-6"][0].startswith("audit_log_stream_client_conf cannot be read: ")
    assert table["acme-6"][1:] == ["organization_id must be the organization's UUID, as the Astra portal shows it."]
    assert "6 of 6 organizations have problems, which the table above lists; nothing was sent" in run.screen
    assert fleet.requests() == {}


def test_one_wrong_organization_stops_all(fleet):
    """A wrong kind of token is found as well, and those that are right are not listed."""
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
    assert run.table() == {
        "acme-2": ["pulsar_token is an Astra application token: give the Pulsar JWT of the streaming tenant."],
        "acme-3": [
            "endpoint is an Astra Streaming broker outside AWS us-east-2, where audit logs would never arrive: use a "
            "tenant in that region, or set validate_region to false."
        ],
        "acme-4": [
            "oauth2_credentials_url is a file: URL, which would point into the service's own machine: give "
            "the credentials "
            "as a data: URL."
        ],
    }
    assert "3 of 6 organizations have problems" in run.screen
    assert not any(token in run.screen for token in (PULSAR_TOKEN, *READERS.values()))
    assert fleet.requests() == {}


def test_two_hosts_with_one_organization(fleet):
    """By id, whatever its spelling, and by token where that is to tell the organization."""
    by_token = options(organization_id=None, application_token="{{ vault_administrators['acme-5'] }}")
    upper = options(organization_id=IDS["acme-1"].upper())
    fleet.describe(hosts={"acme-2": upper, "acme-3": upper, "acme-5": by_token, "acme-6": by_token})
    assert fleet.play(status=2).table() == {
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
    assert run.table() == {
        "acme-1": [f"warning: pulsar_token expires on {day}, within 14 days."],
        "acme-3": ["warning: pulsar_token belongs to another tenant than the topic's."],
    }
    assert fleet.requests() == {}
    # The same is said where it is applied.
    fleet.play("--limit", "acme-1,acme-3")
    assert len(fleet.requests()) == 2


def test_absent_needs_no_client_conf_and_an_expired_token_does_not_matter(fleet):
    fleet.describe(audit_log_stream_state="absent", hosts={"acme-1": options(client_conf="there/is/no/such.conf")})
    fleet.write("client.conf", CLIENT_CONF.format(token=jwt(exp=1)))
    assert "Problem" not in fleet.play(playbook=PREFLIGHT).screen


def test_switched_off(fleet):
    """Then every organization is for itself: those that are right are configured."""
    fleet.describe(
        hosts={
            "acme-1": options(topic="security/audit"),
            "acme-2": options(application_token="{{ vault_there_is_no_such }}"),
            "acme-3": options(organization_id=IDS["acme-4"], application_token="{{ vault_administrators['acme-4'] }}"),
        }
    )
    run = fleet.play(*OFF, status=2)
    assert run.report()[0].endswith("2 failed")
    table = run.table()
    assert table["acme-1"] == ["topic must be written as persistent://tenant/namespace/topic."]
    assert "vault_there_is_no_such" in " ".join(table["acme-2"])
    assert fleet.requests().keys() == {"acme-4", "acme-5", "acme-6"}
    assert "skipping: no hosts matched" in run.screen


def test_alone(fleet):
    run = fleet.play(playbook=PREFLIGHT)
    assert "Organization  Problem" not in run.screen
    fleet.describe(hosts={"acme-4": options(pulsar_token="{{ vault_cut_off }}")})
    fleet.keep_secret(vault_administrators=ADMINISTRATORS, vault_cut_off=PULSAR_TOKEN[:20])
    run = fleet.play("--check", playbook=PREFLIGHT, status=2)
    assert run.table() == {"acme-4": ["pulsar_token is not a JWT: it must have three parts separated by dots."]}
    assert run.screen.count("PLAY [") == 1
    assert fleet.requests() == {}
