# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Pulsar token of a tenant: one that lasts, found by its id or as the newest, or made.

Astra shows a token as often as it is asked, and not always as the same text (terraform-provider-astra issues 188 and
192), so that ids and ends are compared, never texts.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.datastax.astra.plugins.module_utils._api import Call
from ansible_collections.datastax.astra.plugins.module_utils._credentials import Credential
from ansible_collections.datastax.astra.plugins.module_utils._deadline import Deadline
from ansible_collections.datastax.astra.plugins.module_utils._pulsar import jwt, units
from ansible_collections.datastax.astra.plugins.module_utils._streaming import StreamingResource


class StreamingToken(Credential, StreamingResource):
    """A Pulsar token."""

    kind = "streaming_token"
    list_key = "streaming_tokens"
    place = ("v2", "streaming", "tenants", "{tenant}", "tokens")
    organization_methods = ("GET", "POST", "DELETE")
    identity_options = ("tenant", "token_id")
    secret_values = ("pulsar_token", "client_conf")
    spec = {
        "token_id": {"type": "str", "no_log": False},
        "validity": {"type": "str"},
        "min_validity": {"type": "str", "default": "14d"},
        "replaces": {"type": "str"},
    }
    needed_to_create = ("validity",)

    @property
    def label(self) -> str:
        """What messages call it."""
        which = f"Pulsar token {self.params['token_id']}" if self.params["state"] == "absent" else "a Pulsar token"
        return f"{which} of tenant {self.tenant}"

    def list(self, deadline: Deadline) -> list[dict[str, Any]]:
        """Return the tenant's tokens; for state present, those that will do."""
        tenant = self.find_tenant(deadline)
        documents = tenant and self.devops.read(self.ask("Listing the tokens for", "GET", form=list), deadline)
        self._listed = [jwt.interpret_token(document, self.label) for document in documents or ()]
        if self.params["state"] != "present":
            return [token.show() for token in self._listed]
        self.values.update(jwt.describe_tokens(self._listed))
        newer = [token for token in self._listed if token.replaces(self.params["replaces"], self._listed)]
        return [token.show() for token in newer if self._lasts(token)]

    def reveal(self, credential: dict[str, Any], deadline: Deadline) -> dict[str, Any] | None:
        """Return the token, or None where it is gone or ends soon, which only the token itself need show."""
        text = self.devops.read_text(self.ask("Reading", "GET", credential["token_id"], absent=(404,)), deadline)
        token = jwt.interpret_token(text, self.label) if text else None
        return self._tell(token, text) if text and token and self._lasts(token) else None

    def write(self, verb: str, method: str, whole: dict[str, Any]) -> Call:
        """Return the request that makes one."""
        self.find_urls()  # without them, nobody could use it
        body = {"type": "admin", **({} if whole["validity"] == units.UNLIMITED else {"exp": whole["validity"]})}
        advice = {409: "the tenant has as many tokens as it may have, so remove those that nobody uses"}
        return self.ask(verb, method, place=("v3", *self.place[1:]), body=body, advice=advice)

    def take(self, document: Any, secret: str) -> None:
        """Take note of the token that was made."""
        self.made = self._tell(jwt.interpret_token(secret, self.label), secret)

    def _lasts(self, token: jwt.TokenFacts) -> bool:
        return self.made is not None or token.lasts(units.parse_duration(self.params["min_validity"]))

    def _tell(self, token: jwt.TokenFacts, text: str) -> dict[str, Any]:
        self.values = jwt.describe_tokens(self._listed, token, pulsar_token=text, client_conf=self.format_conf(text))
        return token.show()
