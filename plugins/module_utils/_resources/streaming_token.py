# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Pulsar token of a tenant: one that lasts, found by its id or as the newest, or made.

Astra shows a token as often as it is asked, and not always as the same text (terraform-provider-astra issues 188 and
192), so that ids and ends are compared, never texts.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from ansible_collections.datastax.astra.plugins.module_utils._api import Call
from ansible_collections.datastax.astra.plugins.module_utils._deadline import Deadline
from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError, ServiceError
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.client_conf import format_client_conf
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.jwt import TokenFacts, read_facts, read_jwt
from ansible_collections.datastax.astra.plugins.module_utils._resource import Field
from ansible_collections.datastax.astra.plugins.module_utils._streaming import MANAGE_STREAMING, StreamingResource
from ansible_collections.datastax.astra.plugins.module_utils._units import (
    UNLIMITED,
    examine_durations,
    format_duration,
    is_longer,
    parse_duration,
)

_ADVICE = {
    403: MANAGE_STREAMING,
    409: "the tenant has as many tokens as it may have, so remove those that nobody uses",
}


class StreamingToken(StreamingResource):
    """A Pulsar token."""

    kind = "streaming_token"
    list_key = "streaming_tokens"
    identity_options = ("token_id",)
    is_named_by_service = True
    secret_values = ("pulsar_token", "client_conf")
    spec = {
        "token_id": {"type": "str", "no_log": False},
        "validity": {"type": "str"},
        "min_validity": {"type": "str", "default": "14d"},
    }
    fields = (Field("validity", lambda text: format_duration(parse_duration(text)), is_compared=False),)
    needed_to_create = ("validity",)

    _made_id: str | None = None  # of the token that this run made

    @property
    def label(self) -> str:
        """What messages call it."""
        which = f"Pulsar token {self.params['token_id']}" if self.params["state"] == "absent" else "a Pulsar token"
        return f"{which} of tenant {self.params['tenant']}"

    @classmethod
    def examine(cls, params: Mapping[str, Any]) -> Iterable[str]:
        """Yield a sentence for every mistake in the options that can be seen offline."""
        if params["state"] == "absent" and not params["token_id"]:
            yield "token_id is needed to remove a token."
        if params["state"] == "present":
            problems = list(examine_durations(params, "validity", "min_validity"))
            if not problems and not is_longer(params["validity"] or UNLIMITED, params["min_validity"]):
                problems = ["min_validity must be shorter than validity, or every run would make a token."]
            yield from problems

    def list(self, deadline: Deadline) -> list[dict[str, Any]]:
        """Return all tokens of the tenant."""
        return [token.show() for token in self._list(deadline)]

    def read(self, deadline: Deadline) -> dict[str, Any] | None:
        """Return the token of this id; for state present one that lasts, the newest if that one is gone or ends."""
        if self.params["state"] == "absent" and self.find_tenant(deadline) is None:
            return None
        wanted = self._made_id or self.params["token_id"]
        tokens = sorted(self._list(deadline), key=lambda each: (each.token_id == wanted, each.issued_at), reverse=True)
        if self.params["state"] != "present":
            return next((token.show() for token in tokens if token.token_id == wanted), None)
        for token in tokens:
            # The list need not say when a token ends; the token itself does.
            text = self._read_text(token.token_id, deadline) if self._lasts(token) else None
            if text and self._lasts(token := self._interpret(text)):
                return self._choose(token, text)
        self.values.update(token_id=None, expires_at=None)
        return None

    def create(self, asked: dict[str, Any]) -> tuple[Call, ...]:
        """Return the request that makes one."""
        validity = {} if asked["validity"] == UNLIMITED else {"exp": asked["validity"]}
        body = {**validity, "type": "admin"}
        return (self._call("Making", "POST", body=body, version=3, expected=(200, 201), replay=False),)

    def delete(self, before: dict[str, Any]) -> tuple[Call, ...]:
        """Return the request that revokes it."""
        return (self._call("Removing", "DELETE", f"/{quote(before['token_id'])}", expected=(200, 202, 204)),)

    def accept(self, call: Call, document: Any) -> None:
        """Take note of the token that was made. Where the answer cannot be read, the list shows it."""
        with contextlib.suppress(ServiceError, TypeError, KeyError):
            token = self._interpret(document["token"])
            self._made_id = token.token_id
            self._choose(token, document["token"])

    def _list(self, deadline: Deadline) -> list[TokenFacts]:
        if self.find_tenant(deadline) is None:
            raise self.refuse_without_tenant()
        documents = self.devops.read(self._call("Listing the tokens for", "GET"), deadline)
        return [self._interpret(document) for document in documents or []]

    def _read_text(self, token_id: str, deadline: Deadline) -> str | None:
        return self.devops.read_text(self._call("Reading", "GET", f"/{quote(token_id)}", absent=(404,)), deadline)

    def _lasts(self, token: TokenFacts) -> bool:
        return token.token_id == self._made_id or token.lasts(parse_duration(self.params["min_validity"]))

    def _interpret(self, token: Any) -> TokenFacts:
        try:
            return read_facts(read_jwt(token) if isinstance(token, str) else token)
        except InputError as error:
            raise ServiceError(f"What Astra shows as {self.label} {error.message}") from None

    def _choose(self, token: TokenFacts, text: str) -> dict[str, Any]:
        tenant = self._tenant or {}
        conf = format_client_conf(tenant["webServiceUrl"], tenant["brokerServiceUrl"], text)
        shown = token.show()
        self.values = {**shown, "pulsar_token": text, "client_conf": conf}
        del self.values["issued_at"]
        return shown

    def _call(self, verb: str, method: str, path: str = "", version: int = 2, **more: Any) -> Call:
        path = f"/v{version}/streaming/tenants/{self.params['tenant']}/tokens{path}"
        return Call(f"{verb} {self.label}", method, path, advice=_ADVICE, headers=self.find_headers(), **more)
