# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples of the guide to secrets, as they are written there, with stand-ins for the secret managers."""

from __future__ import annotations

import json
import os
import re
import textwrap
from http.server import BaseHTTPRequestHandler

import pytest
import yaml
from ansible_collections.datastax.astra.plugins.module_utils._secrets import compute_fingerprint as fingerprint

from tests.conftest import ROOT
from tests.playbooks.conftest import ADMINISTRATORS, APPLY, CLIENT_CONF, ENTERPRISE, IDS, NAMES
from tests.playbooks.serving import serving
from tests.playbooks.traces import leaks
from tests.wire.support import PULSAR_TOKEN, TOKEN_BODY, jwt

GUIDE = (ROOT / "docs/docsite/rst/secrets_and_rotation.rst").read_text()
SECRETS = [*ADMINISTRATORS.values(), ENTERPRISE, PULSAR_TOKEN]

# What a lookup plugin of another collection finds under a path: the same for both, in the form that each gives it.
STAND_IN = """
from ansible.plugins.lookup import LookupBase

DOCUMENTATION = "name: stand_in"
STORE = {store!r}


class LookupModule(LookupBase):
    def run(self, terms, variables=None, **kwargs):
        return [STORE[term] for term in terms]
"""


def example(about):
    """The code block that follows this text in the guide."""
    _before, _about, after = GUIDE.partition(about)
    block = re.search(r"^\.\. code-block:: \S+\n\n(.*?)(?=^\S)", after, re.MULTILINE | re.DOTALL).group(1)
    return textwrap.dedent(block)


@pytest.mark.parametrize(
    ("about", "collection", "lookup", "form"),
    [
        ("**HashiCorp Vault**", "community/hashi_vault", "vault_kv2_get", lambda **secret: {"secret": secret}),
        (
            "**AWS Secrets Manager**",
            "amazon/aws",
            "secretsmanager_secret",
            lambda **secret: next(iter(secret.values())),
        ),
    ],
)
def test_secret_managers(fleet, tmp_path, about, collection, lookup, form):
    store = {f"astra/{name}": form(application_token=token) for name, token in ADMINISTRATORS.items()}
    client_conf = form(client_conf=CLIENT_CONF.format(token=PULSAR_TOKEN))
    store |= {"astra/streaming": client_conf, "astra/client.conf": client_conf}
    plugin = tmp_path / "others/ansible_collections" / collection / "plugins/lookup" / f"{lookup}.py"
    plugin.parent.mkdir(parents=True)
    plugin.write_text(STAND_IN.format(store=store))

    fleet.describe(**{"audit_log_stream_client_conf": None, **yaml.safe_load(example(about))})
    path = os.pathsep.join([fleet.environment["ANSIBLE_COLLECTIONS_PATH"], str(tmp_path / "others")])
    run = fleet.play("-vvv", ANSIBLE_COLLECTIONS_PATH=path)
    assert fleet.streams() == dict.fromkeys(NAMES, TOKEN_BODY)
    assert leaks((run.screen + run.errors).encode(), SECRETS) == []


@pytest.fixture
def token_service():
    """A stand-in for the API's /v2/tokens: its URL, and the requests that it got."""
    requests = []
    names = {organization_id: name for name, organization_id in IDS.items()}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            requests.append(("POST", self.path, self.headers["Authorization"], body))
            name = names[body["orgId"]]
            self.answer({"clientId": f"client-of-{name}", "secret": "s", "token": ADMINISTRATORS[name], **body})

        def do_DELETE(self):
            requests.append(("DELETE", self.path, self.headers["Authorization"], None))
            self.answer({})

        def answer(self, document):
            content = json.dumps(document).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments):
            pass

    with serving(Handler) as url:
        yield url, requests


@pytest.mark.parametrize("arguments", [(), ("--check",)], ids=["real", "check"])
def test_short_lived_tokens(fleet, token_service, arguments):
    url, requests = token_service
    playbook = example("**Short-lived application tokens.**").replace("https://api.astra.datastax.com", url)
    fleet.write("short-lived.yml", playbook)
    fleet.keep_secret(vault_token_of_the_enterprise=ENTERPRISE)
    # Nothing in the inventory may get in the way, and one organization fails.
    hosts = {"acme-2": {"audit_log_stream_topic": "nonsense"}}
    fleet.describe(audit_log_stream_application_token=None, astra_audit_role_id="role", hosts=hosts)
    run = fleet.play(*arguments, "-vvv", playbook="short-lived.yml", status=2)
    assert fleet.streams() == dict.fromkeys(NAMES, None if arguments else TOKEN_BODY) | {"acme-2": None}
    assert {authorization for _method, _path, authorization, _body in requests} == {f"Bearer {ENTERPRISE}"}
    paths = [(method, path) for method, path, _authorization, _body in requests]
    assert sorted(paths) == sorted(
        [("POST", "/v2/tokens")] * len(NAMES) + [("DELETE", f"/v2/tokens/client-of-{name}") for name in NAMES]
    )
    created = [body for method, _path, _authorization, body in requests if method == "POST"]
    assert sorted(each["orgId"] for each in created) == sorted(IDS.values())
    assert all(each["roles"] == ["role"] for each in created)
    assert all(re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", each["tokenExpiry"]) for each in created)
    assert leaks((run.screen + run.errors).encode(), SECRETS) == []


def test_fingerprints_from_elsewhere(fleet):
    """What is kept in a CMDB comes with the inventory: not for all, because some are new."""
    variables = yaml.safe_load(example("such as a vault or a CMDB"))
    fleet.describe(**variables)
    fleet.play()
    fingerprints = {name: fingerprint(IDS[name], PULSAR_TOKEN) for name in NAMES[:4]}
    fleet.write_client_conf(jwt(jti="rotated"))
    fleet.describe(
        **variables, hosts={name: {"cmdb_astra_token_fingerprint": fingerprints[name]} for name in fingerprints}
    )
    assert fleet.play().headline().endswith(": 4 updated, 2 unchanged")


def test_a_variable_that_is_omitted_counts_as_not_given(fleet):
    omitted = "{{ nothing | default(omit) }}"
    fleet.describe(audit_log_stream_auth_name=omitted, audit_log_stream_wait_timeout=omitted)
    assert fleet.play().headline().endswith(": all 6 organizations created")
    fleet.describe(
        audit_log_stream_organization_id=omitted,
        hosts={name: {"audit_log_stream_organization_id": omitted} for name in NAMES},
    )
    assert fleet.play(playbook=f"{APPLY}_info").headline() == "Audit log streaming: all 6 organizations streamed"
