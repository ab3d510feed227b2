# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An organization's audit log stream: what is stored, what to do about it, and doing it.

M(read_stored) and M(make_plan) are pure. M(converge) is the only code that changes something at the service.
"""

from __future__ import annotations

import hashlib
import time
from typing import NamedTuple

from ansible_collections.datastax.astra.plugins.module_utils.destination import (
    MASK,
    OAUTH2_OPTIONS,
    SECRET_OPTIONS,
)
from ansible_collections.datastax.astra.plugins.module_utils.errors import (
    AnswerLost,
    AstraError,
    Conflict,
    InputError,
    NotFound,
    ServiceError,
    WaitTimeout,
)
from ansible_collections.datastax.astra.plugins.module_utils.transport import backoff

SENT_AGAIN = f"{MASK} (sent again)"

# The API's field names are the options' names but for this one.
_FIELD_OF_OPTION = {"pulsar_token": "token"}
_STREAM_OPTIONS = ("endpoint", "topic", "auth_strategy", "auth_name", *OAUTH2_OPTIONS[1:])
_REQUIRED_FIELDS = ("endpoint", "topic", "auth_strategy")

# Fields of destinations other than Pulsar that are shown. Everything else could be a secret.
_HARMLESS_FIELDS = ("acks", "bootstrap_servers", "bucket", "compression", "database", "encoding", "endpoint", "host")
_HARMLESS_FIELDS += ("index", "key_prefix", "namespace", "port", "region", "stream_name", "table", "topic", "type")

FIRST_INTERVAL = 0.25  # seconds between two looks at the service
LONGEST_INTERVAL = 5  # seconds


class Stored(NamedTuple):
    """What the service has stored for an organization.

    :ivar stream: the destination named as the module's options, without secrets; for a destination that is not
        Pulsar its C(kind) and C(fields).
    :ivar secrets: for each secret option that is stored its value as GET shows it, normally the mask.
    :ivar foreign: whether the destination is not Pulsar.
    """

    stream: dict
    secrets: dict
    foreign: bool = False


class Settings(NamedTuple):
    """The options of M(converge) that say how, not what."""

    update_token: str = "on_change"
    known_fingerprint: str | None = None
    wait: bool = True
    wait_timeout: float = 60
    retries: int = 5


class Plan(NamedTuple):
    """What to do for one organization, and all that a result says about it."""

    action: str
    before: dict | None
    after: dict | None
    diff: dict
    configuration: dict | None  # the body of the POST, None for anything else
    missing_secret: str | None  # the option without which the write is refused
    token_compared: bool
    token_fingerprint: str | None

    @property
    def changed(self):
        """Whether there is something to do."""
        return self.action != "none"


def fingerprint(organization_id, secret):
    """Return what may be kept of a secret in order to recognise it: a hash that is different in every organization."""
    return "sha256:" + hashlib.sha256(f"{organization_id}\0{secret}".encode("utf-8", "surrogatepass")).hexdigest()


def read_stored(document):
    """Interpret what GET answered.

    The vendor's page leaves open what GET shows when nothing is configured, so nothing at all, an object without
    C(pulsar), and an empty or missing one all mean that.

    :arg document: parsed JSON, a dict or None.
    :returns: M(Stored), or None when nothing is configured.
    :raises ServiceError: the document is not what the contract allows.
    """
    pulsar = (document or {}).get("pulsar")
    if pulsar:
        return _read_pulsar(pulsar)
    if pulsar not in (None, {}):
        raise _unreadable("pulsar")
    for kind, fields in sorted((document or {}).items()):
        if kind != "pulsar" and fields and isinstance(fields, dict):
            shown = {name: value for name, value in sorted(fields.items()) if _is_harmless(name, value)}
            return Stored({"kind": kind, "fields": shown}, {}, foreign=True)
    return None


def _read_pulsar(pulsar):
    if not isinstance(pulsar, dict):
        raise _unreadable("pulsar")
    values = {}
    for option in (*_STREAM_OPTIONS, *SECRET_OPTIONS.values()):
        field = _FIELD_OF_OPTION.get(option, option)
        value = pulsar.get(field)
        if value is not None and not isinstance(value, str):
            raise _unreadable(field)
        if not value and option in _REQUIRED_FIELDS:
            raise _unreadable(field)
        if value:
            values[option] = value
    secrets = {option: values.pop(option) for option in SECRET_OPTIONS.values() if option in values}
    return Stored(values, secrets)


def _unreadable(field):
    return ServiceError(
        f"The service shows an audit log configuration whose field {field} is missing or has a wrong type: "
        "check api_url, and report this if it is right.",
        http_status=200,
        api_errors=[],
    )


def _is_harmless(name, value):
    if name not in _HARMLESS_FIELDS:
        return False
    if isinstance(value, str):
        return not set(value) & set("@?;=") and "/" not in value.partition("://")[2].rstrip("/")
    return isinstance(value, (bool, int, float))


def make_plan(request, organization_id, stored, settings):
    """Compare what is asked with what is stored. Check mode and the real run both follow this one plan.

    :arg request: a C(destination.Request).
    :arg stored: M(Stored) or None.
    :arg settings: M(Settings).
    """
    if request.state == "absent":
        before = _with_secrets(stored.stream, dict.fromkeys(stored.secrets, MASK)) if stored else {}
        return Plan(
            action="deleted" if stored else "none",
            before=stored.stream if stored else None,
            after=None,
            diff={"before": before, "after": {}},
            configuration=None,
            missing_secret=None,
            token_compared=False,
            token_fingerprint=None,
        )
    return _plan_present(request, organization_id, stored, settings)


def _plan_present(request, organization_id, stored, settings):
    secret_option = SECRET_OPTIONS[request.stream["auth_strategy"]]
    given = fingerprint(organization_id, request.secret) if request.secret else None
    before = _resolved(request, stored) if stored else None
    same_strategy = bool(before) and before.get("auth_strategy") == request.stream["auth_strategy"]
    compared = bool(
        same_strategy and settings.update_token == "on_change" and given is not None and settings.known_fingerprint
    )
    send_secret = (
        settings.update_token == "always"
        or (compared and given != settings.known_fingerprint)
        or (settings.update_token == "on_change" and bool(stored) and _shows_other_secret(request, stored))
    )
    write = send_secret or before != request.stream
    action = ("updated" if stored else "created") if write else "none"
    secrets_before = dict.fromkeys(stored.secrets, MASK) if stored else {}
    if not write:
        secrets_after = secrets_before
    elif secret_option in secrets_before or same_strategy:
        secrets_after = {secret_option: SENT_AGAIN}
    else:
        secrets_after = {secret_option: MASK}
    recognised = given is not None and (write or (compared and given == settings.known_fingerprint))
    return Plan(
        action=action,
        before=before,
        after=request.stream,
        diff={
            "before": _with_secrets(before, secrets_before) if stored else {},
            "after": _with_secrets(request.stream, secrets_after),
        },
        configuration={"pulsar": _fields(request, secret_option)} if write and request.secret else None,
        missing_secret=secret_option if write and not request.secret else None,
        token_compared=compared,
        token_fingerprint=given if recognised else None,
    )


def _resolved(request, stored):
    """Return what is stored, with the asked value for every field that GET masks: that one cannot be compared."""
    if stored.foreign:
        return stored.stream
    return {
        option: request.stream.get(option, value) if value == MASK else value for option, value in stored.stream.items()
    }


def _shows_other_secret(request, stored):
    shown = stored.secrets.get(SECRET_OPTIONS[request.stream["auth_strategy"]], MASK)
    return request.secret is not None and shown not in (MASK, request.secret)


def _with_secrets(stream, secrets):
    return {**stream, **secrets}


def _fields(request, secret_option):
    fields = dict(request.stream)
    fields[_FIELD_OF_OPTION.get(secret_option, secret_option)] = request.secret
    return fields


def _differences(request, stored):
    """Return the names of what GET does not show as asked; an empty list when it does."""
    if request.state == "absent":
        return ["the configuration is still there"] if stored else []
    if stored is None:
        return ["nothing is configured yet"]
    now = _resolved(request, stored)
    names = sorted(name for name in set(now) | set(request.stream) if now.get(name) != request.stream.get(name))
    if _shows_other_secret(request, stored):
        names.append(SECRET_OPTIONS[request.stream["auth_strategy"]])
    return names


def converge(api, request, settings, check_mode=False):
    """Bring one organization's audit log stream into the asked state.

    :arg api: a C(devops_api.DevopsApi).
    :arg request: a C(destination.Request) with state present or absent.
    :arg settings: M(Settings).
    :arg check_mode: leave the write out; everything else is the same.
    :returns: the result as a dict of the module's return values, with C(diff) and C(warnings).
    :raises AstraError: it failed; C(result["changed"]) tells whether something was changed, or may have been.
    """
    run = _Run(api, request, settings)
    try:
        plan = run.execute(check_mode)
    except AstraError as error:
        error.result["changed"] = run.maybe_changed
        if run.organization_id:
            error.result["organization_id"] = run.organization_id
        raise
    return {
        "changed": plan.changed,
        "action": plan.action,
        "organization_id": run.organization_id,
        "stream": plan.after,
        "previous": plan.before,
        "token_compared": plan.token_compared,
        "token_fingerprint": plan.token_fingerprint,
        "token_expires_at": request.expires_at,
        "diff": plan.diff,
        "warnings": _audit_warnings(plan, request) if check_mode else [],
    }


def _audit_warnings(plan, request):
    """Say what a drift audit without the secret could not tell."""
    if request.state == "absent" or request.secret:
        return []
    option = SECRET_OPTIONS[request.stream["auth_strategy"]]
    if plan.missing_secret:
        return [f"{option} was not given: it could not be compared, and without it a real run would refuse to write."]
    return [f"{option} was not given, so it could not be compared; everything else was."]


def show(api, organization_id):
    """Return what is configured, as the info module's return values.

    :arg organization_id: None for the application token's own organization.
    :raises AstraError: it cannot be read.
    """
    organization_id = organization_id or api.current_organization()
    try:
        stored = read_stored(api.read_audit_logs(organization_id))
    except AstraError as error:
        error.result["organization_id"] = organization_id
        raise
    return {
        "changed": False,
        "exists": stored is not None,
        "organization_id": organization_id,
        "stream": stored.stream if stored else None,
    }


class _Run:
    """One organization's way to the asked state."""

    def __init__(self, api, request, settings):
        self._api = api
        self._request = request
        self._settings = settings
        self._deadline = None
        self.organization_id = request.organization_id
        self.maybe_changed = False

    def execute(self, check_mode):
        """Read, plan, write, wait. Return the plan that was followed."""
        if self.organization_id is None:
            self.organization_id = self._patiently(self._api.current_organization)
        plan = self._plan_for(self._read())
        if check_mode or not plan.changed:
            return plan
        if plan.missing_secret:
            raise InputError(
                f"{plan.missing_secret} is needed, because the configuration of organization "
                f"{self.organization_id} has to be written ({plan.action}); nothing was sent."
            )
        followed = self._write(plan)
        if followed.changed and self._settings.wait:
            self._await_shown()
        return followed

    def _plan_for(self, stored):
        return make_plan(self._request, self.organization_id, stored, self._settings)

    def _read(self):
        return read_stored(self._patiently(self._api.read_audit_logs, self.organization_id))

    def _write(self, plan):
        """Have the plan accepted; return the plan, or the one that replaces it when somebody else was faster."""
        failures = 0
        while True:
            try:
                self._send(plan)
                return plan
            except AnswerLost:
                if self._took_effect(plan):
                    return plan
                if failures == self._settings.retries:
                    raise
            except NotFound:
                # Somebody else may have deleted it, which GET shows as late as it shows our own changes.
                if plan.action != "deleted" or self._look():
                    raise
                return plan if self.maybe_changed else self._plan_for(None)
            failures += 1
            time.sleep(backoff(failures))

    def _send(self, plan):
        try:
            if plan.action == "deleted":
                self._patiently(self._api.delete_audit_logs, self.organization_id)
            else:
                self._patiently(self._api.write_audit_logs, self.organization_id, plan.configuration)
        except AstraError as error:
            self.maybe_changed = self.maybe_changed or error.maybe_applied
            raise
        self.maybe_changed = True

    def _took_effect(self, plan):
        """Tell from what GET shows whether a write whose answer was lost arrived."""
        visible = self._request.state == "absent" or plan.before != plan.after
        return visible and not _differences(self._request, self._read())

    def _look(self):
        """Look until GET shows what is asked or the deadline comes; return what still differs."""
        missing = []
        for _attempt in self._attempts():
            missing = _differences(self._request, self._read())
            if not missing:
                break
        return missing

    def _await_shown(self):
        missing = self._look()
        if missing:
            raise WaitTimeout(
                f"The service accepted the change for organization {self.organization_id}, but after "
                f"{self._settings.wait_timeout} seconds GET does not show it ({', '.join(missing)}): "
                "run again later, or raise wait_timeout."
            )

    def _patiently(self, call, *arguments):
        """Call the API; while it answers 409, call again until the deadline."""
        conflict = None
        for _attempt in self._attempts():
            try:
                return call(*arguments)
            except Conflict as error:
                error.maybe_applied = error.maybe_applied or (conflict is not None and conflict.maybe_applied)
                conflict = error
        raise conflict

    def _attempts(self):
        """Yield at once, then in growing intervals until the one deadline that all waiting shares."""
        yield
        if self._deadline is None:
            self._deadline = time.monotonic() + self._settings.wait_timeout
        interval = FIRST_INTERVAL
        while True:
            remaining = self._deadline - time.monotonic()
            if remaining <= 0:
                return
            time.sleep(min(interval, remaining))
            interval = min(interval * 1.6, LONGEST_INTERVAL)
            yield
