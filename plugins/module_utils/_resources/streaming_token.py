# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Pulsar token of a tenant: one that lasts, found by its id or as the newest, or made.

Astra shows a token as often as it is asked, and not always as the same text (terraform-provider-astra issues 188 and
192), so that ids and ends are compared, never texts.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.datastax.astra.plugins.module_utils._api import Call
from ansible_collections.datastax.astra.plugins.module_utils._deadline import Deadline
from ansible_collections.datastax.astra.plugins.module_utils._documents import read_keys
from ansible_collections.datastax.astra.plugins.module_utils._errors import Busy, InputError, ServiceError
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.client_conf import format_client_conf
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.jwt import TokenFacts, read_facts, read_jwt
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.units import (
    NO_LIMIT,
    UNLIMITED,
    format_duration,
    parse_duration,
)
from ansible_collections.datastax.astra.plugins.module_utils._resource import Field
from ansible_collections.datastax.astra.plugins.module_utils._streaming import StreamingResource

_LIMIT = {409: "the tenant has as many tokens as it may have, so remove those that nobody uses"}


class StreamingToken(StreamingResource):
    """A Pulsar token."""

    kind = "streaming_token"
    list_key = "streaming_tokens"
    identity_options = ("tenant", "token_id")
    secret_values = ("pulsar_token", "client_conf")
    spec = {
        "token_id": {"type": "str", "no_log": False},
        "validity": {"type": "str"},
        "min_validity": {"type": "str", "default": "14d"},
        "replaces": {"type": "str"},
    }
    fields = (Field("validity", lambda text: format_duration(parse_duration(text)), is_compared=False),)
    needed_to_create = ("validity",)

    @property
    def key(self) -> dict[str, Any]:
        """Nothing: Astra chooses the id."""
        return {}

    _made: TokenFacts | None = None  # the token that this run made
    _listed: Sequence[TokenFacts] = ()

    @property
    def label(self) -> str:
        """What messages call it."""
        which = f"Pulsar token {self.params['token_id']}" if self.params["state"] == "absent" else "a Pulsar token"
        return f"{which} of tenant {self.tenant}"

    @classmethod
    def examine(cls, params: Mapping[str, Any]) -> Iterable[str]:
        """Yield a sentence for every mistake in the options that can be seen offline."""
        problems = [*super().examine(params)]
        if params["state"] == "absent" and not params["token_id"]:
            problems.append("token_id is needed to remove a token.")
        try:
            least = parse_duration(params["min_validity"] or UNLIMITED)
            validity = NO_LIMIT if problems else parse_duration(params["validity"] or UNLIMITED)
            if validity != NO_LIMIT and not 0 <= least < validity:
                problems.append("min_validity must be shorter than validity, or every run would make a token.")
        except InputError as error:
            problems.append(f"min_validity {error.message}")
        return problems

    def list(self, deadline: Deadline) -> list[dict[str, Any]]:
        """Return all tokens of the tenant."""
        tokens = self._list(deadline)
        if self.blocker:
            raise InputError(self.blocker)
        return [token.show() for token in tokens]

    def read(self, deadline: Deadline) -> dict[str, Any] | None:
        """Return the token of this id; for state present one that lasts, the newest if that one is gone or ends."""
        wanted = self.params["token_id"]
        found = [self._made] if self._made else self._list(deadline)
        tokens = sorted(found, key=lambda each: (each.token_id == wanted, each.issued_at), reverse=True)
        if self.params["state"] != "present":
            return next((token.show() for token in tokens if token.token_id == wanted), None)
        if self._record and not all(self._find_urls()):
            raise Busy(f"Astra shows no URLs for tenant {self.tenant}: it may not be ready yet.")
        for token in self._leave_out_replaced(tokens):
            # The list need not say when a token ends; the token itself does.
            text = self._read_text(token.token_id, deadline) if self._lasts(token) else None
            if text and self._lasts(token := self._interpret(text)):
                return self._choose(token, text)
        self.values.update(token_id=None, expires_at=None, other_tokens=[each.show() for each in self._listed])
        return None

    def create(self, asked: dict[str, Any]) -> tuple[Call, ...]:
        """Return the request that makes one."""
        body = {"type": "admin", **({} if asked["validity"] == UNLIMITED else {"exp": asked["validity"]})}
        return (self._call("Making", "POST", version="v3", body=body, advice=_LIMIT, replay=False),)

    def delete(self, before: dict[str, Any]) -> tuple[Call, ...]:
        """Return the request that revokes it."""
        return (self._call("Removing", "DELETE", before["token_id"]),)

    def accept(self, call: Call, document: Any) -> None:
        """Take note of the token that was made. Where the answer cannot be read, the list shows it."""
        with contextlib.suppress(ServiceError):
            text = read_keys(document, "token")[0]
            token = self._interpret(text)
            self._made = token
            self._choose(token, text)

    def _list(self, deadline: Deadline) -> Sequence[TokenFacts]:
        if self.find_tenant(deadline) is None:
            return ()
        documents = self.devops.read(self._call("Listing the tokens for", "GET", form=list), deadline)
        self._listed = [self._interpret(document) for document in documents]
        return self._listed

    def _read_text(self, token_id: str, deadline: Deadline) -> str | None:
        return self.devops.read_text(self._call("Reading", "GET", token_id, absent=(404,)), deadline)

    def _lasts(self, token: TokenFacts) -> bool:
        is_made = self._made is not None and token.token_id == self._made.token_id
        return is_made or token.lasts(parse_duration(self.params["min_validity"]))

    def _interpret(self, token: Any) -> TokenFacts:
        try:
            return read_facts(read_jwt(token) if isinstance(token, str) else token)
        except InputError as error:
            raise ServiceError(f"What Astra shows as {self.label} {error.message}") from None

    def _leave_out_replaced(self, tokens: Sequence[TokenFacts]) -> Sequence[TokenFacts]:
        """Return those that were made after the token that shall be replaced, if that one exists."""
        replaced = next((token for token in tokens if token.token_id == self.params["replaces"]), None)
        if replaced is None:
            return tokens
        return [each for each in tokens if each is not replaced and each.issued_at >= replaced.issued_at]

    def _choose(self, token: TokenFacts, text: str) -> dict[str, Any]:
        shown = token.show()
        web_service_url, broker_service_url = self._find_urls()
        conf = format_client_conf(web_service_url, broker_service_url, text)
        others = [each.show() for each in self._listed if each.token_id != token.token_id]
        self.values = {"token_id": token.token_id, "expires_at": shown["expires_at"], "other_tokens": others}
        self.values.update(pulsar_token=text, client_conf=conf)
        return shown

    def _find_urls(self) -> Sequence[str]:
        return read_keys(self._record, "webServiceUrl", "brokerServiceUrl")

    def _call(self, verb: str, method: str, *path: str, version: str = "v2", **more: Any) -> Call:
        path = (version, "streaming", "tenants", self.tenant, "tokens", *path)
        headers = {"X-DataStax-Current-Org": self.organization}
        return self.call(f"{verb} {self.label}", method, *path, headers=headers, **more)
