# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be known offline about the options that all modules share."""

from __future__ import annotations

import pytest
from ansible_collections.datastax.astra.plugins.module_utils._connection import examine_connection

from tests.unit.plugins.module_utils.support import APPLICATION_TOKEN, jwt

TOKEN_NEEDED = "application_token is needed: give the option or set ASTRA_DB_APPLICATION_TOKEN."
TOKEN_FORM = "application_token must be an Astra application token, which starts with AstraCS:."
TOKEN_CHARACTERS = "application_token contains white space or characters that no Astra token has."
URL_FORM = "api_url must be a URL, such as https://api.astra.datastax.com."
URL_PARTS = "api_url must not contain a user name, a query or a fragment."
URL_VERSION = "api_url must be given without /v2."
CLEAR_TEXT = "api_url is not https: the tokens travel unencrypted."


def examine(**changed):
    """Problems and warnings of options without mistakes, and the changes."""
    options = {
        "application_token": APPLICATION_TOKEN,
        "api_url": "https://api.astra.datastax.com",
        "validate_certs": True,
        "ca_path": None,
        "timeout": 30,
        "retries": 5,
    }
    return examine_connection({**options, **changed})


EACH_PROBLEM = [
    ({"application_token": None}, [TOKEN_NEEDED]),
    ({"application_token": " \n"}, [TOKEN_NEEDED]),
    ({"application_token": "secret"}, [TOKEN_FORM]),
    ({"application_token": "astracs:a:b"}, [TOKEN_FORM]),
    ({"application_token": f"Bearer {APPLICATION_TOKEN}"}, [TOKEN_FORM]),
    ({"application_token": jwt()}, [TOKEN_FORM]),
    ({"application_token": "AstraCS:a\nb"}, [TOKEN_CHARACTERS]),
    ({"application_token": "AstraCS:a b"}, [TOKEN_CHARACTERS]),
    ({"application_token": "AstraCS:ä"}, [TOKEN_CHARACTERS]),
    ({"application_token": "AstraCS:\udcff"}, [TOKEN_CHARACTERS]),
    ({"api_url": ""}, [URL_FORM]),
    ({"api_url": "api.astra.datastax.com"}, [URL_FORM]),
    ({"api_url": "https:api.astra.datastax.com"}, [URL_FORM]),
    ({"api_url": "ftp://api.astra.datastax.com"}, [URL_FORM]),
    ({"api_url": "https://"}, [URL_FORM]),
    ({"api_url": "https:///v2"}, [URL_FORM]),
    ({"api_url": "https://:8080"}, [URL_FORM]),
    ({"api_url": "https://.example.com"}, [URL_FORM]),
    ({"api_url": "https://*.example.com"}, [URL_FORM]),
    ({"api_url": "https://[::1"}, [URL_FORM]),
    ({"api_url": "https://[::1]x"}, [URL_FORM]),
    ({"api_url": "https://host:port"}, [URL_FORM]),
    ({"api_url": "https://host:8080:8080"}, [URL_FORM]),
    ({"api_url": "https://host name"}, [URL_FORM]),
    ({"api_url": "https://höst"}, [URL_FORM]),
    ({"api_url": "https://user:password@host"}, [URL_PARTS]),
    ({"api_url": "https://host?query"}, [URL_PARTS]),
    ({"api_url": "https://host/#fragment"}, [URL_PARTS]),
    ({"api_url": "https://api.astra.datastax.com/v2"}, [URL_VERSION]),
    ({"api_url": "https://api.astra.datastax.com/v2/"}, [URL_VERSION]),
    ({"timeout": 0}, ["timeout must be between 1 and 3600 seconds."]),
    ({"timeout": 3601}, ["timeout must be between 1 and 3600 seconds."]),
    ({"timeout": -5}, ["timeout must be between 1 and 3600 seconds."]),
    ({"retries": -1}, ["retries must not be negative."]),
    ({"wait_timeout": -1}, ["wait_timeout must not be negative."]),
    ({"admin_url": "admin.streaming.datastax.com"}, [URL_FORM.replace("api_url", "admin_url")]),
    ({"admin_url": "https://user:password@host"}, [URL_PARTS.replace("api_url", "admin_url")]),
]


@pytest.mark.parametrize(("changed", "problems"), EACH_PROBLEM, ids=lambda value: f"{value!r:.50}")
def test_each_problem(changed, problems):
    assert examine(**changed)[0] == problems


@pytest.mark.parametrize(
    "changed",
    [
        {"timeout": 1, "retries": 0, "wait_timeout": 0},
        {"timeout": 3600, "retries": 10**9, "wait_timeout": 10**9},
        {"application_token": f" {APPLICATION_TOKEN}\n"},
        {"api_url": " https://api.astra.datastax.com/\n"},
        {"admin_url": None},
        {"admin_url": "https://pulsar-aws-useast2.api.streaming.datastax.com"},
    ],
    ids=str,
)
def test_no_problem(changed):
    assert examine(**changed) == ([], [])


EACH_WARNING = [
    ({"api_url": "http://api.example.com"}, [CLEAR_TEXT]),
    ({"api_url": "HTTP://127.0.0.1.example.com:80"}, [CLEAR_TEXT]),
    ({"api_url": "http://localhost.example.com"}, [CLEAR_TEXT]),
    ({"admin_url": "http://admin.example.com"}, [CLEAR_TEXT.replace("api_url", "admin_url")]),
    ({"api_url": "http://localhost"}, []),
    ({"api_url": "http://127.0.0.1:8080/"}, []),
    ({"api_url": "http://[::1]:8080"}, []),
    ({"api_url": "HTTPS://api.example.com/astra/"}, []),
]


@pytest.mark.parametrize(("changed", "warnings"), EACH_WARNING, ids=lambda value: f"{value!r:.50}")
def test_each_warning(changed, warnings):
    assert examine(**changed) == ([], warnings)


def test_every_problem_at_once():
    problems, warnings = examine(application_token="secret", api_url="api", timeout=0, retries=-1, wait_timeout=-1)
    assert problems == [
        TOKEN_FORM,
        URL_FORM,
        "timeout must be between 1 and 3600 seconds.",
        "retries must not be negative.",
        "wait_timeout must not be negative.",
    ]
    assert warnings == []


SENTINEL = "S3ntinel"


@pytest.mark.parametrize(
    "changed",
    [
        {"application_token": SENTINEL},
        {"application_token": f"AstraCS:{SENTINEL} x"},
        {"api_url": f"https://user:{SENTINEL}@host"},
        {"api_url": f"ftp://{SENTINEL}"},
    ],
    ids=str,
)
def test_no_sentence_repeats_a_value(changed):
    problems, _warnings = examine(**changed)
    assert problems
    assert SENTINEL not in " ".join(problems)
