# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A destination of audit logs: tenant, namespace, topic, sink, Pulsar token and client.conf, made from the modules'
own commands.

What does not depend on each other happens at the same time, and what one command has found out the next is told. A
part that exists is never made again, so that a run can be repeated after whatever has ended it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.datastax.astra.plugins.module_utils import _command
from ansible_collections.datastax.astra.plugins.module_utils._connection import examine_connection
from ansible_collections.datastax.astra.plugins.module_utils._delivery import verify_destination
from ansible_collections.datastax.astra.plugins.module_utils._errors import AstraError, InputError
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.client_conf import read_options
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.units import parse_duration
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.wire import UNKNOWN
from ansible_collections.datastax.astra.plugins.module_utils._resource import DeclaredResource
from ansible_collections.datastax.astra.plugins.module_utils._resources.streaming_namespace import StreamingNamespace
from ansible_collections.datastax.astra.plugins.module_utils._resources.streaming_sink import StreamingSink
from ansible_collections.datastax.astra.plugins.module_utils._resources.streaming_tenant import StreamingTenant
from ansible_collections.datastax.astra.plugins.module_utils._resources.streaming_token import StreamingToken
from ansible_collections.datastax.astra.plugins.module_utils._resources.streaming_topic import StreamingTopic
from ansible_collections.datastax.astra.plugins.module_utils._streaming import KnownTenant
from ansible_collections.datastax.astra.plugins.plugin_utils.client_conf_file import ClientConfFile, parse

# What keeps events, unless the user says otherwise. The backlog quota is the user's decision: what it refuses or drops.
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "retention": {"time": "7d", "size": "unlimited"},
    "inactive_topics": {"delete": False},
}
_SINK_OPTIONS = [name for name in StreamingSink.spec if name not in ("namespace", "topic")]
SPEC: Mapping[str, Mapping[str, Any]] = {
    **_command.STATE_SPEC,
    "tenant": {"type": "str"},
    **{name: _command.STREAMING_TENANT.argument_spec[name] for name in ("cluster", "admin_url", "user_email")},
    "namespace": {"type": "str", "default": "security"},
    "topic": {"type": "str", "default": "astra-audit-log"},
    "partitions": StreamingTopic.spec["partitions"],
    "subscriptions": {**StreamingTopic.spec["subscriptions"], "default": ["audit-log"]},
    **{name: StreamingNamespace.spec[name] for name in ("retention", "backlog_quota", "inactive_topics")},
    "sink": {"type": "dict", "options": {name: StreamingSink.spec[name] for name in _SINK_OPTIONS}},
    "validity": {"type": "str", "default": "90d"},
    "min_validity": {"type": "str", "default": "30d"},
    "client_conf_path": {"type": "str"},
    "rotate": {"type": "bool", "default": False},
    "verify_destination": {"type": "bool", "default": True},
    "revoke_after": {"type": "str", "default": "1m"},
    "force": {"type": "bool", "default": False},
    **_command.WAIT_SPEC,
    **_command.CONNECTION_SPEC,
}


class _Tenant(StreamingTenant):
    """A tenant without its limits, which a destination does not show."""

    shows_limits = False


class Part(NamedTuple):
    """What a destination has.

    :ivar names: the destination's options by those of the part, where they are called otherwise.
    """

    resource: type[DeclaredResource]
    command: _command.Command
    names: Mapping[str, str]

    def word(self, sentence: str) -> str:
        """Return a sentence about an option of the part as one about the destination's."""
        return re.sub(r"^\w+", lambda match: self.names.get(match[0], match[0]), sentence)


PARTS: Mapping[str, Part] = {
    "tenant": Part(StreamingTenant, _command.make_command(_Tenant), {"name": "tenant"}),
    "namespace": Part(StreamingNamespace, _command.STREAMING_NAMESPACE, {"name": "namespace"}),
    "topic": Part(StreamingTopic, _command.STREAMING_TOPIC, {"name": "topic"}),
    "sink": Part(StreamingSink, _command.STREAMING_SINK, {name: f"sink.{name}" for name in _SINK_OPTIONS}),
    "token": Part(StreamingToken, _command.STREAMING_TOKEN, {}),
}


def make_options(params: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the validated options of each part of a destination."""
    shared = ("state", "cluster", "admin_url", *_command.WAIT_SPEC, *_command.CONNECTION_SPEC)
    common = {name: params[name] for name in shared}
    in_tenant = {**common, "tenant": params["tenant"]}
    in_namespace = {**in_tenant, "namespace": params["namespace"]}
    merged = {name: {**default, **(params[name] or {})} for name, default in DEFAULTS.items()}
    given: dict[str, dict[str, Any]] = {
        "tenant": {**common, "name": params["tenant"], "user_email": params["user_email"]},
        "namespace": {**in_tenant, **merged, "name": params["namespace"], "backlog_quota": params["backlog_quota"]},
        "topic": {**in_namespace, "name": params["topic"], "force": params["force"]},
        "token": {**in_tenant, "validity": params["validity"], "min_validity": params["min_validity"]},
    }
    given["topic"].update(partitions=params["partitions"], subscriptions=params["subscriptions"])
    if params["sink"]:
        # Of a subscription that nobody reads, the backlog would grow until its quota is used up.
        subscription = next(iter(params["subscriptions"] or ()), None)
        given["sink"] = {**in_namespace, "topic": params["topic"], "subscription_name": subscription}
        given["sink"].update({name: value for name, value in params["sink"].items() if value is not None})
    return {part: validate(PARTS[part].command, options) for part, options in given.items()}


def validate(command: _command.Command, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a command as Ansible validates them.

    :raises InputError: they are refused.
    """
    given = {name: value for name, value in options.items() if value is not None and name in command.argument_spec}
    validation = ArgumentSpecValidator(command.argument_spec).validate(given)
    if validation.error_messages:
        raise InputError(validation.error_messages)
    return dict(validation.validated_parameters)


def examine(params: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Find every mistake in the options of a destination that can be seen offline.

    :returns: problems and warnings: sentences that name the option and never repeat a secret.
    """
    problems, warnings = examine_connection(params)
    if not params["tenant"]:
        return ["tenant is needed.", *problems], warnings
    for name, options in make_options(params).items():
        if name == "token" and params["state"] == "absent":
            continue
        part = PARTS[name]
        problems += [part.word(problem) for problem in part.resource.examine(options)]
    try:
        parse_duration(params["revoke_after"])
    except InputError as error:
        problems.append(f"revoke_after {error.message}")
    if not params["subscriptions"] and params["state"] == "present":
        warnings.append("subscriptions has none, so that events are lost which nobody is there to receive.")
    return list(dict.fromkeys(problems)), warnings


def execute(
    params: Mapping[str, Any], check_mode: bool, warnings: list[str], conf_file: ClientConfFile | None = None
) -> dict[str, Any]:
    """Bring a destination into the asked state, as the ``execute`` of a command.

    :arg params: the validated options of ``SPEC``, which ``examine`` has found right.
    :arg conf_file: where the client.conf is kept, if anywhere.
    :raises AstraError: a part failed; the message says what was done all the same, and what was not.
    """
    run = _Run(params, check_mode, conf_file)
    try:
        result = run.remove() if params["state"] == "absent" else run.make()
    finally:
        warnings += run.warnings
    return result


def revoke(
    params: Mapping[str, Any], token_id: str, shown: Mapping[str, Any], conf_file: ClientConfFile | None
) -> dict[str, Any]:
    """Remove a token that was replaced, and note in the file that this is done.

    :arg shown: the tenant as a run has returned it.
    :returns: the result of the token's own command.
    """
    command = PARTS["token"].command
    options = validate(command, {**make_options(params)["token"], "state": "absent", "token_id": token_id})
    result = command.execute(options, False, [], KnownTenant(shown))
    if conf_file and conf_file.stored and conf_file.stored.replaces == token_id:
        conf_file.write(conf_file.stored._replace(replaces=None))
    return result


def disprove(params: Mapping[str, Any], topic: str, client_conf: str) -> str | None:
    """Return why the token of a client.conf is not proven to be taken by the broker, as sentences, or None."""
    if not params["verify_destination"]:
        return None
    trust = {name: params[name] for name in ("validate_certs", "ca_path", "timeout")}
    try:
        options = read_options(client_conf, {})
        found = verify_destination(options["endpoint"], topic, options["pulsar_token"], **trust)
    except InputError as error:
        return error.message
    if found is None:
        return None
    elsewhere = "Where this machine cannot reach the broker, set audit_log_destination_verify_destination to false."
    return " ".join(filter(None, [found.message, found.advice, elsewhere if found.state == UNKNOWN else ""]))


class _Run:
    """One destination's way to the asked state."""

    def __init__(self, params: Mapping[str, Any], check_mode: bool, conf_file: ClientConfFile | None) -> None:
        self._params = params
        self._check_mode = check_mode
        self._conf_file = conf_file
        self._options = make_options(params)
        self._results: dict[str, dict[str, Any]] = {}
        self._errors: dict[str, AstraError] = {}
        self._warnings: dict[str, list[str]] = {}
        self._actions: dict[str, str] = {}
        self._tenant: KnownTenant | None = None
        self._replaced: str | None = None  # the token that a rotation makes needless

    @property
    def warnings(self) -> list[str]:
        """What is worth knowing, in the order of the parts."""
        return [warning for name in (*PARTS, "client_conf") for warning in self._warnings.get(name, ())]

    def make(self) -> dict[str, Any]:
        """Make what is missing and change what differs."""
        if self._attempt("tenant"):
            shown, created = self._results["tenant"]["tenant"], self._results["tenant"]["action"] == "created"
            if self._check_mode and created:
                self._tenant = KnownTenant(None)
            elif shown.get("web_service_url"):
                self._tenant = KnownTenant(shown)
            with ThreadPoolExecutor(1) as pool:
                token = pool.submit(self._attempt_token, created)
                for name in ("namespace", "topic", "sink"):
                    if name in self._options and not self._attempt(name):
                        break
                token.result()
        # A sink that does not work is no reason to let events wait.
        if not self._errors.keys() - {"sink"}:
            self._prove_token()
        if not self._errors.keys() - {"sink"}:
            self._keep_client_conf()
        if self._errors and self._is_token_forgotten:
            self._take_token_back()
        self._raise_errors()
        namespace, topic, token_result = (self._results[name] for name in ("namespace", "topic", "token"))
        sink = self._results.get("sink")
        return {
            **self._conclude(),
            "tenant": self._results["tenant"]["tenant"],
            "namespace": namespace["namespace"],
            "topic": topic["topic"]["full_name"],
            "subscriptions": topic["topic"]["subscriptions"],
            "sink": sink and sink["sink"],
            "token_id": token_result["token_id"],
            "expires_at": token_result["expires_at"],
            "other_tokens": token_result["other_tokens"],
            "replaced_token_id": self._replaced,
            "client_conf_path": self._conf_file and self._conf_file.path,
            "client_conf": self._client_conf,
        }

    def remove(self) -> dict[str, Any]:
        """Remove what is there, in the reverse order; what holds things of others stays."""
        common = self._options["topic"]
        info = validate(_command.STREAMING_TENANT_INFO, {**common, "name": self._params["tenant"]})
        shown = _command.STREAMING_TENANT_INFO.execute(info, False, [])["tenant"]
        if shown:
            self._tenant = KnownTenant(shown)
            if "sink" in self._options:
                # Nothing shall be gone when the topic may not go.
                self._attempt("topic", is_trial=True)
            for name in ("sink", "topic"):
                if name in self._options and not self._errors:
                    self._attempt(name)
            admin = {**common, "admin_url": shown["web_service_url"]}
            self._remove_container("namespace", self._list_others("topics", admin, self._params["topic"]))
            self._remove_token()
            self._remove_container("tenant", self._list_others("namespaces", admin, self._params["namespace"]))
        if not self._errors and self._conf_file:
            self._remove_client_conf()
        self._raise_errors()
        return self._conclude()

    def _attempt(self, name: str, is_trial: bool = False) -> bool:
        """Perform the command of a part; return whether it worked. A trial changes nothing."""
        part = PARTS[name]
        heard = self._warnings[name] = []
        tenant = {} if name == "tenant" else {"tenant": self._tenant}
        try:
            result = part.command.execute(self._options[name], self._check_mode or is_trial, heard, **tenant)
        except AstraError as error:
            message = part.word(error.message).replace("Set force", "Set audit_log_destination_force")
            # A part's own name is that of an option too, which is not what is meant.
            error.message = message[0].upper() + message[1:] if message.startswith(f"{name} ") else message
            self._errors[name] = error
            return False
        if not is_trial:
            self._results[name], self._actions[name] = result, result["action"]
        return True

    def _attempt_token(self, tenant_is_new: bool) -> None:
        """Have a token: the one that is kept, or for a rotation one that was made after it."""
        options = self._options["token"]
        stored = self._conf_file.stored if self._conf_file else None
        current = stored.token_id if stored else None
        unfinished = stored.replaces if stored else None
        if self._params["rotate"] and not unfinished:
            try:
                self._replaced = current or (None if tenant_is_new else self._find_newest())
            except AstraError as error:
                self._errors["token"] = error
                return
        else:
            options["token_id"], self._replaced = current, unfinished
        if self._params["rotate"]:
            options["replaces"] = self._replaced
        if not self._attempt("token"):
            return
        token, others = self._results["token"], self._results["token"]["other_tokens"]
        if self._replaced not in [other["token_id"] for other in others]:
            self._replaced = None
        heard = self._warnings["token"]
        if self._replaced and not self._params["rotate"]:
            heard.append(
                f"A rotation is unfinished: Pulsar token {self._replaced} is still valid. Run again with "
                "audit_log_destination_rotate=true to revoke it once no stream uses it."
            )
        issued_at = (token["streaming_token"] or {}).get("issued_at")
        newer = [other["token_id"] for other in others if issued_at and other["issued_at"] > issued_at]
        if newer:
            heard.append(
                f"The tenant has Pulsar tokens that are newer than the one in use ({token['token_id']}): "
                f"{', '.join(newer)}. A run that was stopped may have left them: rotate to use the newest, or revoke "
                "them with datastax.astra.astra_streaming_token."
            )

    def _prove_token(self) -> None:
        """Note as an error that the broker does not take a rotation's new token, before anybody is given it."""
        if not self._replaced or not self._params["rotate"] or self._check_mode:
            return
        token, topic = self._results["token"], self._results["topic"]["topic"]["full_name"]
        reason = disprove(self._params, topic, token["client_conf"])
        if reason:
            new, stored = token["token_id"], self._conf_file.stored if self._conf_file else None
            standing = "and in use"
            if stored and stored.replaces:
                standing = f"(streams may have {stored.token_id} already)"
            advice = "Put that right and run the rotation again"
            if not self._is_token_forgotten:
                advice += (
                    f", which goes on with {new}. If {new} cannot be put right and nobody else uses it, remove it "
                    "first with datastax.astra.astra_streaming_token: the rotation then makes another one"
                )
            self._errors["token"] = AstraError(
                f"Pulsar token {new} does not replace {self._replaced}, which stays valid {standing}, because the "
                f"broker was not seen to take it: {reason} {advice}."
            )

    @property
    def _is_token_forgotten(self) -> bool:
        """Whether no later run would know the token that this rotation has made for one that replaces another."""
        is_rotation = self._params["rotate"] and self._replaced and not self._check_mode
        return bool(is_rotation and not self._conf_file and self._actions.get("token") == "created")

    def _take_token_back(self) -> None:
        """Revoke the token of a rotation that has failed before anybody was given it, and note that as an error too."""
        new = self._results["token"]["token_id"]
        whose = f"Pulsar token {new}, which this run made and nobody was given,"
        try:
            revoke(self._params, new, self._results["tenant"]["tenant"], None)
        except AstraError as error:
            self._errors["new token"] = AstraError(
                f"{whose} could not be revoked again: {error.message} Remove it with "
                "datastax.astra.astra_streaming_token before the next run, which would take it for the one in use."
            )
            return
        self._errors["new token"] = AstraError(f"{whose} is revoked again; {self._replaced} stays valid.")
        del self._results["token"], self._actions["token"]

    def _find_newest(self) -> str | None:
        command = _command.STREAMING_TOKEN_INFO
        tokens = command.execute(validate(command, self._options["token"]), False, [])["streaming_tokens"]
        return max(tokens, key=lambda token: str(token["issued_at"]), default={"token_id": None})["token_id"]

    def _keep_client_conf(self) -> None:
        text = self._results["token"]["client_conf"]
        self._client_conf: str | None = text
        if not self._conf_file:
            return
        stored = self._conf_file.stored
        if text is None:  # check mode, and the token is one that would be made
            self._actions["client_conf"] = "updated" if stored else "created"
            return
        try:
            wanted = parse(text)._replace(replaces=self._replaced)
            if stored and stored[1:3] == wanted[1:3]:
                # Astra can show a token as another text each time. The streams compare the text.
                wanted = wanted._replace(text=stored.text)
            self._client_conf = wanted.text
            if self._conf_file.is_kept_as(wanted):
                self._actions["client_conf"] = "none"
                return
            if not self._check_mode:
                self._conf_file.write(wanted)
            self._actions["client_conf"] = "updated" if stored else "created"
        except AstraError as error:
            self._errors["client_conf"] = error

    def _list_others(self, what: str, options: Mapping[str, Any], own: str) -> list[str]:
        """Return the names of a namespace's topics, or a tenant's namespaces, that are not this destination's."""
        commands = {"topics": _command.STREAMING_TOPIC_INFO, "namespaces": _command.STREAMING_NAMESPACE_INFO}
        if self._errors:
            return []
        given = {name: value for name, value in options.items() if name != "name"}
        try:
            listed = commands[what].execute(validate(commands[what], given), False, [])[what]
        except InputError:  # what should hold them does not exist
            return []
        # Every tenant has a namespace of the name default. While it is empty, it is nobody's.
        ours = {own, "default"} if what == "namespaces" else {own}
        return [each["name"] for each in listed if each["name"] not in ours]

    def _remove_container(self, name: str, others: Iterable[str]) -> None:
        if self._errors:
            return
        if others:
            held = {"namespace": "topics", "tenant": "namespaces"}[name]
            self._warnings[name] = [f"The {name} stays, because it has other {held}: {', '.join(others)}."]
            self._actions[name] = "none"
        elif self._check_mode and "deleted" in self._actions.values():
            self._actions[name] = "deleted"  # what it still holds would be gone by then
        else:
            self._attempt(name)

    def _remove_token(self) -> None:
        stored = self._conf_file.stored if self._conf_file else None
        if stored and not self._errors:
            self._options["token"]["token_id"] = stored.token_id
            self._attempt("token")

    def _remove_client_conf(self) -> None:
        if not self._conf_file:
            return
        self._actions["client_conf"] = "deleted" if self._conf_file.stored else "none"
        if self._conf_file.stored and not self._check_mode:
            try:
                self._conf_file.remove()
            except AstraError as error:
                self._errors["client_conf"] = error

    def _conclude(self) -> dict[str, Any]:
        actions = {name: self._actions[name] for name in (*PARTS, "client_conf") if name in self._actions}
        diffs = [
            {"before_header": name, "after_header": name, **self._results[name]["diff"]}
            for name, action in actions.items()
            if action != "none" and self._results.get(name)
        ]
        return {
            "changed": any(action != "none" for action in actions.values()),
            "actions": actions,
            "names": {part: name for part, name in self._names.items() if part in actions},
            "diff": diffs,
        }

    @property
    def _names(self) -> Mapping[str, str | None]:
        """What each part is called; None for a token that would be made."""
        tenant, namespace, topic = (self._params[name] for name in ("tenant", "namespace", "topic"))
        sink, told = self._params["sink"], self._options if self._params["state"] == "absent" else self._results
        return {
            "tenant": tenant,
            "namespace": f"{tenant}/{namespace}",
            "topic": f"persistent://{tenant}/{namespace}/{topic}",
            "sink": sink and sink["name"],
            "token": told["token"]["token_id"],
            "client_conf": self._conf_file and self._conf_file.path,
        }

    def _raise_errors(self) -> None:
        """Raise one error for all that failed, which says what was done and what was not."""
        if not self._errors:
            return
        verb = "Would be done" if self._check_mode else "Done"
        done = [f"{name} {action}" for name, action in self._actions.items() if action != "none"]
        asked = (*self._options, *(["client_conf"] if self._conf_file else []))
        left = [name for name in asked if name not in self._actions]
        parts = [error.message for error in self._errors.values()]
        parts += [f"{verb}: {', '.join(done)}."] if done else []
        parts += [f"Not done: {', '.join(left)}."] if left else []
        token_id = self._results.get("token", {}).get("token_id")
        first = next(iter(self._errors.values()))
        raise AstraError(
            " ".join(parts),
            **{name: value for name, value in first.result.items() if name in ("http_status", "api_errors")},
            changed=bool(done and not self._check_mode) or any(e.result.get("changed") for e in self._errors.values()),
            actions=dict(self._actions),
            **({"token_id": token_id} if token_id else {}),
        )
