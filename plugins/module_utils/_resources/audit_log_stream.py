# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An organization's audit log stream: what is stored, and what to do about it. It has a plan of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, NamedTuple

from ansible_collections.datastax.astra.plugins.module_utils._api import ORGANIZATION_ADMINISTRATOR, Api, Call
from ansible_collections.datastax.astra.plugins.module_utils._convergence import Plan, Resource
from ansible_collections.datastax.astra.plugins.module_utils._deadline import UNBOUNDED, Deadline
from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError, ServiceError
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.client_conf import OAUTH2_OPTIONS, SECRET_OPTIONS
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.names import normalize_endpoint, normalize_topic
from ansible_collections.datastax.astra.plugins.module_utils._resources._audit_log_stream_request import Request
from ansible_collections.datastax.astra.plugins.module_utils._secrets import (
    MASK,
    SENT_AGAIN,
    UNKNOWN_FINGERPRINT,
    compute_fingerprint,
)

# The API's field names are the options' names but for this one.
_FIELD_OF_OPTION = {"pulsar_token": "token"}
_STREAM_OPTIONS = ("endpoint", "topic", "auth_strategy", "auth_name", *OAUTH2_OPTIONS[1:])
_REQUIRED_FIELDS = ("endpoint", "topic", "auth_strategy")
_NORMALIZERS: Mapping[str, Callable[[str], str]] = {"endpoint": normalize_endpoint, "topic": normalize_topic}

# Fields of destinations other than Pulsar that are shown. Everything else could be a secret.
_HARMLESS_FIELDS: tuple[str, ...]
_HARMLESS_FIELDS = ("acks", "bootstrap_servers", "bucket", "compression", "database", "encoding", "endpoint", "host")
_HARMLESS_FIELDS += ("index", "key_prefix", "namespace", "port", "region", "stream_name", "table", "topic", "type")

_ADVICE = {
    403: f"{ORGANIZATION_ADMINISTRATOR} org-audits-read",
    404: "check organization_id and that the application token belongs to that organization",
    409: "an earlier change is still being applied, so raise wait_timeout or try again later",
}


class Stored(NamedTuple):
    """What the service has stored for an organization.

    :ivar stream: the destination named as the module's options, normalised and without secrets; for a destination that
        is not Pulsar its ``kind`` and ``fields``.
    :ivar secrets: for each secret option that is stored its value as GET shows it, normally the mask.
    :ivar foreign: whether the destination is not Pulsar.
    """

    stream: dict[str, Any]
    secrets: dict[str, str]
    foreign: bool = False


class Policy(NamedTuple):
    """When the stored secret is sent again.

    :ivar update_token: ``on_change``, ``always`` or ``on_create``.
    :ivar known_fingerprint: of the stored secret, as far as somebody remembers it. ``UNKNOWN_FINGERPRINT`` when
        somebody should, and does not: then the secret is sent.
    """

    update_token: str = "on_change"
    known_fingerprint: str | None = None


class AuditLogStream(Resource):
    """The audit log stream of one organization, as ``_convergence`` takes it.

    :arg verify: called before a write with the request; raises an AstraError where the events would not arrive, and
        returns warnings about what could not be asked.
    :arg is_confirmed: whether it is known that the organization is the token's own.
    """

    kind = "stream"

    def __init__(
        self,
        api: Api,
        request: Request,
        policy: Policy,
        verify: Callable[[Request], list[str]] | None = None,
        is_confirmed: bool = False,
    ) -> None:
        super().__init__(api)
        self._request = request
        self._policy = policy
        self._verify = verify
        self._organization_id = request.organization_id
        self._is_confirmed = is_confirmed

    @property
    def label(self) -> str:
        """What messages call it."""
        return f"the audit log configuration of organization {self._organization_id}"

    @property
    def identity(self) -> Mapping[str, Any]:
        """Return the organization's id, once it is known."""
        return {"organization_id": self._organization_id} if self._organization_id else {}

    def read(self, deadline: Deadline) -> Stored | None:
        """Return what is stored, or None where nothing is configured."""
        self._organization_id = self._organization_id or self.api.find_organization(deadline)
        stored = read_stream(self.api, self._organization_id, deadline)
        if not self._is_confirmed:
            self.warnings = [] if stored else confirm_absence(self.api, self._organization_id, deadline)
            self._is_confirmed = True
        return stored

    def plan(self, stored: Stored | None) -> Plan:
        """Compare what is asked with what is stored."""
        return make_plan(self._request, self._organization_id or "", stored, self._policy)

    def check_write(self, plan: Plan, deadline: Deadline) -> None:
        """Ask the broker, where that is wanted, whether the token may produce to the topic."""
        if self._verify and self._request.state == "present":
            self.warnings += self._verify(self._request)
            self._verify = None  # once is enough, also for a plan that is made anew


def read_stream(api: Api, organization_id: str, deadline: Deadline = UNBOUNDED) -> Stored | None:
    """Return what the service shows for an organization, or None where it says that nothing is configured.

    The vendor does not say what GET answers then, so 404, 204 and documents without a destination count as that.
    Believe None only after ``confirm_absence``.

    :raises Busy: an earlier change is still being applied.
    :raises AstraError: it cannot be read.
    """
    purpose = f"Reading the audit log configuration of organization {organization_id}"
    call = Call(purpose, "GET", _path(organization_id), (200,), (204, 404), _ADVICE, "busy")
    return interpret_document(api.read(call, deadline))


def confirm_absence(api: Api, organization_id: str, deadline: Deadline = UNBOUNDED) -> list[str]:
    """Make sure that nothing is configured for an organization after the service said so.

    A wrong organization is answered with the same 404, so the token's own is asked for.

    :returns: warnings about what cannot be told.
    :raises AstraError: the token belongs to another organization, or that cannot be found out.
    """
    try:
        own = api.find_organization(deadline)
    except ServiceError as error:
        if error.result.get("http_status") not in (403, 404):
            raise
        return [
            f"Nothing is configured for organization {organization_id}, as far as the service tells: the application "
            "token may be an enterprise's, which gets the same answer for an organization that does not exist."
        ]
    if own != organization_id:
        raise InputError(
            f"The application token belongs to organization {own}, not to {organization_id}: "
            "check organization_id and application_token."
        )
    return []


def _path(organization_id: str) -> str:
    return f"/v2/organizations/{organization_id}/telemetry/auditLogs"


def interpret_document(document: Any) -> Stored | None:
    """Interpret what GET answered.

    The vendor's page leaves open what GET shows when nothing is configured, so nothing at all, an object without
    ``pulsar``, and an empty or missing one all mean that.

    :arg document: parsed JSON.
    :returns: ``Stored``, or None when nothing is configured.
    :raises ServiceError: the document is not what the contract allows.
    """
    if document is not None and not isinstance(document, dict):
        raise ServiceError(
            "The service shows an audit log configuration that is not a JSON object: check api_url.",
            http_status=200,
            api_errors=[],
        )
    pulsar = (document or {}).get("pulsar")
    if pulsar:
        return _interpret_pulsar(pulsar)
    if pulsar not in (None, {}):
        raise _reject_field("pulsar")
    for kind, fields in sorted((document or {}).items()):
        if kind != "pulsar" and fields and isinstance(fields, dict):
            shown = {name: value for name, value in sorted(fields.items()) if _is_harmless(name, value)}
            return Stored({"kind": kind, "fields": shown}, {}, foreign=True)
    return None


def _interpret_pulsar(pulsar: Any) -> Stored:
    if not isinstance(pulsar, dict):
        raise _reject_field("pulsar")
    values: dict[str, str] = {}
    for option in (*_STREAM_OPTIONS, *SECRET_OPTIONS.values()):
        field = _FIELD_OF_OPTION.get(option, option)
        value = pulsar.get(field)
        if value is not None and not isinstance(value, str):
            raise _reject_field(field)
        if not value and option in _REQUIRED_FIELDS:
            raise _reject_field(field)
        if value:
            values[option] = _normalize(option, value)
    secrets = {option: values.pop(option) for option in SECRET_OPTIONS.values() if option in values}
    return Stored(values, secrets)


def _normalize(option: str, value: str) -> str:
    """Return a stored value in the form that options have, so that another spelling is no difference."""
    try:
        return _NORMALIZERS[option](value) if option in _NORMALIZERS and value != MASK else value.strip()
    except InputError:
        return value


def _reject_field(field: str) -> ServiceError:
    return ServiceError(
        f"The service shows an audit log configuration whose field {field} is missing or has a wrong type: "
        "check api_url, and report this if it is right.",
        http_status=200,
        api_errors=[],
    )


def _is_harmless(name: str, value: object) -> bool:
    if name not in _HARMLESS_FIELDS:
        return False
    if isinstance(value, str):
        return not set(value) & set("@?;=") and "/" not in value.partition("://")[2].rstrip("/")
    return isinstance(value, (bool, int, float))


def make_plan(request: Request, organization_id: str, stored: Stored | None, policy: Policy) -> Plan:
    """Compare what is asked with what is stored. Check mode, the real run and the fleet all follow this plan."""
    if request.state == "present":
        return _plan_present(request, organization_id, stored, policy)
    call = Call(
        f"Deleting the audit log configuration of organization {organization_id}",
        "DELETE",
        _path(organization_id),
        (202,),
        advice=_ADVICE,
        conflict="busy",
    )
    return Plan(
        action="deleted" if stored else "none",
        before=stored.stream if stored else None,
        after=None,
        diff={"before": {**stored.stream, **dict.fromkeys(stored.secrets, MASK)} if stored else {}, "after": {}},
        writes=(call,) if stored else (),
        pending=("the configuration is still there",) if stored else (),
        values={"token_compared": False, "token_fingerprint": None, "token_expires_at": None},
    )


def _plan_present(request: Request, organization_id: str, stored: Stored | None, policy: Policy) -> Plan:
    secret_option = SECRET_OPTIONS[request.stream["auth_strategy"]]
    given = compute_fingerprint(organization_id, request.secret) if request.secret else None
    before = _resolve_masks(request, stored) if stored else None
    same_strategy = bool(before) and (before or {}).get("auth_strategy") == request.stream["auth_strategy"]
    known = policy.known_fingerprint if same_strategy and given and policy.update_token == "on_change" else None
    compared = known not in (None, UNKNOWN_FINGERPRINT)
    pending = _find_differences(request, before, stored)
    send_secret = (
        policy.update_token == "always"
        or (known is not None and given != known)
        or (policy.update_token == "on_change" and secret_option in pending)
    )
    write = send_secret or before != request.stream
    secrets_before = dict.fromkeys(stored.secrets, MASK) if stored else {}
    if not write:
        secrets_after = secrets_before
    else:
        secrets_after = {secret_option: SENT_AGAIN if secret_option in secrets_before or same_strategy else MASK}
    recognized = given is not None and (write or (compared and given == known))
    fields = {**request.stream, _FIELD_OF_OPTION.get(secret_option, secret_option): request.secret}
    call = Call(
        f"Configuring audit log streaming of organization {organization_id}",
        "POST",
        _path(organization_id),
        (202,),
        advice=_ADVICE,
        conflict="busy",
        body={"pulsar": fields},
    )
    return Plan(
        action=("updated" if stored else "created") if write else "none",
        before=before,
        after=request.stream,
        diff={
            "before": {**(before or {}), **secrets_before},
            "after": {**request.stream, **secrets_after},
        },
        writes=(call,) if write and request.secret else (),
        missing=secret_option if write and not request.secret else None,
        pending=pending,
        values={
            "token_compared": compared,
            "token_fingerprint": given if recognized else None,
            "token_expires_at": request.expires_at,
        },
        warnings=_find_warnings(secret_option, request, policy, stored, write, compared, pending),
    )


def _find_warnings(
    secret_option: str,
    request: Request,
    policy: Policy,
    stored: Stored | None,
    write: bool,
    compared: bool,
    pending: tuple[str, ...],
) -> tuple[str, ...]:
    """Say what neither this run nor the service can tell."""
    if stored and write and request.secret and not pending:
        return (f"{secret_option} was sent again. The service does not show when it takes effect.",)
    shown = bool(stored) and MASK not in (stored.secrets.get(secret_option, MASK) if stored else MASK)
    if write or compared or shown or policy.update_token != "on_change":
        return ()
    if not request.secret:
        return (f"{secret_option} was not given, so it could not be compared; everything else was.",)
    return (
        f"{secret_option} could not be compared, because the service never shows the stored one: a rotated one would "
        "not be noticed. Set fingerprint_store, or update_token to always for one run.",
    )


def _resolve_masks(request: Request, stored: Stored) -> dict[str, Any]:
    """Return what is stored, with the asked value for every field that GET masks: that one cannot be compared."""
    if stored.foreign:
        return stored.stream
    return {
        option: request.stream.get(option, value) if value == MASK else value for option, value in stored.stream.items()
    }


def _find_differences(request: Request, before: dict[str, Any] | None, stored: Stored | None) -> tuple[str, ...]:
    """Return the names of what GET does not show as asked."""
    if before is None or stored is None:
        return ("nothing is configured yet",)
    names = sorted(name for name in {*before, *request.stream} if before.get(name) != request.stream.get(name))
    option = SECRET_OPTIONS[request.stream["auth_strategy"]]
    if request.secret is not None and stored.secrets.get(option, MASK) not in (MASK, request.secret):
        names.append(option)
    return tuple(names)
