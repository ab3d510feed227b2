# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The endpoints of Astra's DevOps API (2.3.0) that concern audit log streaming, and the errors they answer."""

from __future__ import annotations

import json

from ansible_collections.datastax.astra.plugins.module_utils.destination import MASK, normalize_organization_id
from ansible_collections.datastax.astra.plugins.module_utils.errors import (
    AstraError,
    Conflict,
    InputError,
    NotFound,
    ServiceError,
)

MESSAGE_LIMIT = 300  # characters of a message of the service that are repeated

# Answers after which a change may have been made all the same: the service failed, or a gateway lost sight of it.
MAYBE_APPLIED_STATUSES = (500, 502, 504)

_ADVICE = {
    400: "check the options against the service's message",
    401: "check the application token: it may be wrong, expired or revoked",
    403: "the application token needs the role Organization Administrator or the permission org-audits-read",
    404: "check organization_id and that the application token belongs to that organization",
    409: "an earlier change is still being applied, so raise wait_timeout or try again later",
    429: "the service limits the rate of requests, so raise retries or lower throttle or forks",
}


class DevopsApi:
    """The DevOps API as far as audit log streaming needs it.

    :arg transport: a C(transport.Transport).
    :arg secrets: strings that the service's own messages must not repeat.
    """

    def __init__(self, transport, secrets=()):
        self._transport = transport
        self._secrets = sorted({s.strip() for s in secrets if s and s.strip()}, key=len, reverse=True)

    def current_organization(self):
        """Return the id of the organization that the application token belongs to.

        :raises AstraError: it cannot be found out, for example because the token is an enterprise's.
        """
        purpose = "Finding the application token's organization"
        advice = dict.fromkeys((403, 404), "give organization_id, which the token of an enterprise needs")
        answer = self._call(purpose, "GET", "/v2/currentOrg", (200,), advice=advice)
        document = self._document(purpose, answer)
        try:
            return normalize_organization_id(document["id"])
        except (TypeError, KeyError, AttributeError, InputError):
            raise self._unreadable(purpose, answer, "without an organization's UUID") from None

    def read_audit_logs(self, organization_id):
        """Return what GET shows as parsed JSON, or None where the status alone says that nothing is configured.

        The vendor does not say what GET answers then, so 404 and 204 count as that. A wrong organization is
        answered with the same 404.

        :raises AstraError: the service gave no such answer.
        """
        purpose = f"Reading the audit log configuration of organization {organization_id}"
        answer = self._call(purpose, "GET", _audit_logs(organization_id), (200, 204, 404))
        return self._document(purpose, answer) if answer.status == 200 else None

    def write_audit_logs(self, organization_id, configuration):
        """Ask the service to replace the whole configuration. It accepts (202) and applies the change later.

        :arg configuration: the request's body as a dict.
        :raises Conflict: an earlier change is still being applied.
        :raises AstraError: the service did not accept, or its answer was lost.
        """
        purpose = f"Configuring audit log streaming of organization {organization_id}"
        body = json.dumps(configuration).encode("utf-8")
        self._call(purpose, "POST", _audit_logs(organization_id), (202,), body)

    def delete_audit_logs(self, organization_id):
        """Ask the service to delete the configuration. It accepts (202) and applies the change later.

        :raises Conflict: an earlier change is still being applied.
        :raises NotFound: there is nothing to delete.
        :raises AstraError: the service did not accept, or its answer was lost.
        """
        purpose = f"Deleting the audit log configuration of organization {organization_id}"
        self._call(purpose, "DELETE", _audit_logs(organization_id), (202,))

    def _call(self, purpose, method, path, expected, body=None, advice=None):
        try:
            answer = self._transport.request(method, path, body)
        except AstraError as error:
            raise type(error)(
                f"{purpose} failed: {error.message}", maybe_applied=error.maybe_applied, **error.result
            ) from None
        if answer.status in expected:
            return answer
        raise self._refused(purpose, answer, {**_ADVICE, **(advice or {})})

    def _refused(self, purpose, answer, advices):
        api_errors = self._api_errors(answer.body)
        parts = (
            (error["message"] + ("" if error["id"] is None else f" (ID {error['id']})")).strip() for error in api_errors
        )
        said = "; ".join(part for part in parts if part)
        advice = advices.get(answer.status)
        if advice is None:
            advice = "try again later" if answer.status >= 500 else "check api_url"
        kind = {404: NotFound, 409: Conflict}.get(answer.status, ServiceError)
        return kind(
            f"{purpose} failed: the service answered {answer.status}{f', {said}' if said else ''}: {advice}.",
            maybe_applied=answer.retried or answer.status < 300 or answer.status in MAYBE_APPLIED_STATUSES,
            http_status=answer.status,
            api_errors=api_errors,
        )

    def _api_errors(self, body):
        """Return the errors of the envelope C({"errors": [{"ID": 123, "message": "..."}]}) as far as they are there."""
        try:
            entries = json.loads(body)["errors"]
        except (ValueError, RecursionError, TypeError, KeyError):
            return []
        errors = []
        for entry in entries if isinstance(entries, list) else []:
            if isinstance(entry, dict):
                identifier = entry.get("ID", entry.get("id"))
                message = entry.get("message")
                usable = isinstance(identifier, int) and not isinstance(identifier, bool) and abs(identifier) < 2**63
                errors.append(
                    {
                        "id": identifier if usable else None,
                        "message": self._clean(message) if isinstance(message, str) else "",
                    }
                )
        return errors[:10]

    def _clean(self, message):
        for secret in self._secrets:
            message = message.replace(secret, MASK)
        message = " ".join("".join(c if c.isprintable() else " " for c in message).split())
        return message if len(message) <= MESSAGE_LIMIT else message[:MESSAGE_LIMIT] + "..."

    def _document(self, purpose, answer):
        try:
            document = json.loads(answer.body)
        except (ValueError, RecursionError):
            raise self._unreadable(purpose, answer, "that is not JSON") from None
        if document is not None and not isinstance(document, dict):
            raise self._unreadable(purpose, answer, "that is not a JSON object")
        if document and "errors" in document:
            raise self._refused(purpose, answer, _ADVICE)
        return document

    def _unreadable(self, purpose, answer, reason):
        return ServiceError(
            f"{purpose} failed: the service answered {answer.status} with a body {reason}: "
            "check api_url and any proxy in between.",
            http_status=answer.status,
            api_errors=[],
        )


def _audit_logs(organization_id):
    return f"/v2/organizations/{organization_id}/telemetry/auditLogs"
