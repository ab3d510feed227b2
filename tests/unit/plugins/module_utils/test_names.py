# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Brokers and topics, normalised or refused."""

from __future__ import annotations

import pytest
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.names import (
    complete_topic,
    normalize_endpoint,
    normalize_topic,
)

from tests.unit.plugins.module_utils.support import APPLICATION_TOKEN, MASK, TOPIC_FORM, WEB, jwt, message_of

EMPTY = "is empty, give the broker URL, such as pulsar+ssl://host:6651."
NO_BROKER = "must be a broker URL without a path, such as pulsar+ssl://host:6651."
SCHEME = "must start with pulsar+ssl:// or pulsar://."
SEVERAL = "names several brokers, give the URL of one."
CREDENTIALS_IN_URL = "must not contain a user name or password."

TOPIC_NAMES = "has a tenant or namespace that is empty or has characters that Pulsar does not allow."
TOPIC_NAME = "has a topic name that is empty or contains white space."
NON_PERSISTENT = "is non-persistent, an audit log needs a persistent topic."


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("pulsar+ssl://broker:6651", "pulsar+ssl://broker:6651"),
        ("pulsar://broker:6650", "pulsar://broker:6650"),
        ("ssl://broker:6651", "pulsar+ssl://broker:6651"),
        ("broker:6651", "pulsar+ssl://broker:6651"),
        ("broker", "pulsar+ssl://broker"),
        ("pulsar+ssl://broker", "pulsar+ssl://broker"),
        ("pulsar+pulsar+ssl://broker:6651", "pulsar+ssl://broker:6651"),
        ("pulsar+ssl://pulsar+ssl://broker:6651", "pulsar+ssl://broker:6651"),
        ("pulsar+ssl://ssl://broker:6651", "pulsar+ssl://broker:6651"),
        ("pulsar://pulsar+ssl://broker:6651", "pulsar+ssl://broker:6651"),
        ("pulsar+ssl://pulsar://broker:6651", "pulsar+ssl://broker:6651"),
        ("pulsar+pulsar://broker:6650", "pulsar://broker:6650"),
        ("pulsar://pulsar://broker:6650", "pulsar://broker:6650"),
        ("pulsar+ssl://broker:6651/", "pulsar+ssl://broker:6651"),
        ("broker/", "pulsar+ssl://broker"),
        (" \tpulsar+ssl://broker:6651\r\n", "pulsar+ssl://broker:6651"),
        ("PULSAR+SSL://Broker.Example.COM:6651", "pulsar+ssl://broker.example.com:6651"),
        ("SSL://Broker", "pulsar+ssl://broker"),
        ("ssl:6651", "pulsar+ssl://ssl:6651"),
        ("10.0.0.1:1", "pulsar+ssl://10.0.0.1:1"),
        ("[2001:DB8::1]:65535", "pulsar+ssl://[2001:db8::1]:65535"),
        ("[::1]", "pulsar+ssl://[::1]"),
        ("broker_1.example-host.com.:6651", "pulsar+ssl://broker_1.example-host.com.:6651"),
    ],
)
def test_endpoints(value, expected):
    assert normalize_endpoint(value) == expected
    assert normalize_endpoint(expected) == expected


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", EMPTY),
        (" \n", EMPTY),
        ("/", EMPTY),
        ("pulsar+ssl://", EMPTY),
        ("pulsar+ssl:///", EMPTY),
        ("ssl://pulsar://", EMPTY),
        ("http://broker:8080", WEB),
        ("HTTPS://broker", WEB),
        ("pulsar+ssl://https://broker", WEB),
        ("kafka://broker:9092", SCHEME),
        ("pulsar+http://broker", SCHEME),
        ("pulsar+://broker", SCHEME),
        ("+ssl://broker", SCHEME),
        ("://broker", SCHEME),
        ("persistent://acme/security/audit", SCHEME),
        ("pulsar://one:6650,two:6650", SEVERAL),
        ("one:6650,two:6650", SEVERAL),
        ("pulsar+ssl://user:password@broker:6651", CREDENTIALS_IN_URL),
        ("user@broker", CREDENTIALS_IN_URL),
        ("pulsar+ssl://broker:6651/path", NO_BROKER),
        ("broker?query", NO_BROKER),
        ("broker#fragment", NO_BROKER),
        ("two words", NO_BROKER),
        ("broker:", NO_BROKER),
        ("broker:0", NO_BROKER),
        ("broker:65536", NO_BROKER),
        ("broker:123456", NO_BROKER),
        ("broker:port", NO_BROKER),
        ("broker:-1", NO_BROKER),
        ("broker:٦٦", NO_BROKER),
        (":6651", NO_BROKER),
        ("-broker", NO_BROKER),
        (".broker", NO_BROKER),
        ("brökər:6651", NO_BROKER),
        ("broker\x00:6651", NO_BROKER),
        ("::1", NO_BROKER),
        ("[::1", NO_BROKER),
        ("[broker]:6651", NO_BROKER),
        ("\ufeffbroker", NO_BROKER),
        (MASK, NO_BROKER),
        (APPLICATION_TOKEN, NO_BROKER),
        pytest.param(f"{'a' * 64}.example.com", NO_BROKER, id="a label longer than DNS allows"),
        pytest.param(".".join(["a" * 63] * 4) + ":6651", NO_BROKER, id="a name longer than DNS allows"),
        pytest.param(jwt(signature="s" * 86), NO_BROKER, id="a JWT"),
    ],
)
def test_refused_endpoints(value, message):
    assert message_of(normalize_endpoint, value) == message


@pytest.mark.parametrize("value", ["\u017fsl://broker:6651", "pulsar+s\u017fl://broker:6651", "bro\u212aer:6651"])
def test_letters_that_only_look_like_ascii_when_case_is_ignored(value):
    """A scheme that is nearly ssl must never end as a connection without TLS."""
    assert message_of(normalize_endpoint, value) in (SCHEME, NO_BROKER)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("persistent://acme/security/audit", "persistent://acme/security/audit"),
        ("acme/security/audit", "persistent://acme/security/audit"),
        (" acme/security/audit\n", "persistent://acme/security/audit"),
        ("acme-1_x=y:z.0/name-space/Audit+Log", "persistent://acme-1_x=y:z.0/name-space/Audit+Log"),
        ("acme/security/журнал", "persistent://acme/security/журнал"),
        ("acme/security/audit-partition-0", "persistent://acme/security/audit-partition-0"),
        ("ACME/Security/Audit", "persistent://ACME/Security/Audit"),
        ("acme/security/?&%:@", "persistent://acme/security/?&%:@"),
    ],
)
def test_topics(value, expected):
    assert normalize_topic(value) == expected
    assert normalize_topic(expected) == expected


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", TOPIC_FORM),
        ("audit", TOPIC_FORM),
        ("security/audit", TOPIC_FORM),
        ("acme/cluster/security/audit", TOPIC_FORM),
        ("persistent://audit", TOPIC_FORM),
        ("persistent://", TOPIC_FORM),
        ("persistent:///acme/security/audit", TOPIC_FORM),
        ("persistent://persistent://acme/security/audit", TOPIC_FORM),
        ("acme/security/audit/", TOPIC_FORM),
        ("pulsar+ssl://broker", TOPIC_FORM),
        ("PERSISTENT://acme/security/audit", TOPIC_FORM),
        ("non-persistent://acme/security/audit", NON_PERSISTENT),
        ("non-persistent://", NON_PERSISTENT),
        ("/security/audit", TOPIC_NAMES),
        ("acme//audit", TOPIC_NAMES),
        ("ac me/security/audit", TOPIC_NAMES),
        ("acme/sécurité/audit", TOPIC_NAMES),
        ("acme/secu*rity/audit", TOPIC_NAMES),
        ("acme\n/security/audit", TOPIC_NAMES),
        ("acme/security/", TOPIC_NAME),
        ("acme/security/audit log", TOPIC_NAME),
        ("acme/security/audit\tlog", TOPIC_NAME),
        ("acme/security/audit\u00a0log", TOPIC_NAME),
        ("acme/security/audit\x00", TOPIC_NAME),
        ("acme/security/audit\ud800", TOPIC_NAME),
    ],
)
def test_refused_topics(value, message):
    assert message_of(normalize_topic, value) == message


@pytest.mark.parametrize("value", ["log", " log ", "acme/audit/log", "persistent://acme/audit/log"])
def test_the_last_part_of_a_topic_is_enough(value):
    assert complete_topic(value, "acme", "audit") == "persistent://acme/audit/log"


@pytest.mark.parametrize("value", ["audit/log", "non-persistent://acme/audit/log", "", "a b"])
def test_what_is_no_topic(value):
    assert message_of(lambda text: complete_topic(text, "acme", "audit"), value)
