# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Between Ansible and the rest: argument specs, and results from what the layers below return or raise.

Modules and action plugins perform the same commands; the only difference is whose process it happens in.
"""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Callable, NamedTuple

from ansible.module_utils.basic import AnsibleModule, env_fallback, missing_required_lib
from ansible_collections.datastax.astra.plugins.module_utils import _http
from ansible_collections.datastax.astra.plugins.module_utils._api import Api
from ansible_collections.datastax.astra.plugins.module_utils._connection import examine_connection, open_http
from ansible_collections.datastax.astra.plugins.module_utils._convergence import Settings, converge
from ansible_collections.datastax.astra.plugins.module_utils._deadline import UNBOUNDED
from ansible_collections.datastax.astra.plugins.module_utils._delivery import (
    check_delivery,
    describe,
    make_get,
    read_way,
    verify_destination,
)
from ansible_collections.datastax.astra.plugins.module_utils._errors import AstraError, InputError
from ansible_collections.datastax.astra.plugins.module_utils._fingerprint_store import TOPIC_STORE, run_with_store
from ansible_collections.datastax.astra.plugins.module_utils._probe import NOT_TRIED, probe
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.names import normalize_topic
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.wire import FAILED
from ansible_collections.datastax.astra.plugins.module_utils._resource import (
    UPDATE_SECRETS,
    ArgumentSpec,
    DeclaredResource,
)
from ansible_collections.datastax.astra.plugins.module_utils._resources._audit_log_stream_request import (
    Request,
    examine,
)
from ansible_collections.datastax.astra.plugins.module_utils._resources.audit_log_stream import (
    AuditLogStream,
    Policy,
    confirm_absence,
    read_stream,
)
from ansible_collections.datastax.astra.plugins.module_utils._resources.role import Role
from ansible_collections.datastax.astra.plugins.module_utils._resources.streaming_namespace import StreamingNamespace
from ansible_collections.datastax.astra.plugins.module_utils._resources.streaming_sink import StreamingSink
from ansible_collections.datastax.astra.plugins.module_utils._resources.streaming_tenant import StreamingTenant
from ansible_collections.datastax.astra.plugins.module_utils._resources.streaming_token import StreamingToken
from ansible_collections.datastax.astra.plugins.module_utils._resources.streaming_topic import StreamingTopic
from ansible_collections.datastax.astra.plugins.module_utils._resources.token import Token
from ansible_collections.datastax.astra.plugins.module_utils._secrets import find_secrets
from ansible_collections.datastax.astra.plugins.module_utils._streaming import KnownTenant, StreamingResource
from ansible_collections.datastax.astra.plugins.module_utils._topic_properties import TopicStore, read_properties

CONNECTION_SPEC: ArgumentSpec = {
    "application_token": {
        "type": "str",
        "no_log": True,
        "fallback": (env_fallback, ["ASTRA_DB_APPLICATION_TOKEN", "ASTRA_API_TOKEN"]),
    },
    "api_url": {
        "type": "str",
        "default": "https://api.astra.datastax.com",
        "fallback": (env_fallback, ["ASTRA_API_URL"]),
    },
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "timeout": {"type": "int", "default": 30},
    "retries": {"type": "int", "default": 5},
}
STATE_SPEC: ArgumentSpec = {"state": {"type": "str", "choices": ["present", "absent"], "default": "present"}}
WAIT_SPEC: ArgumentSpec = {
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 60},
}
_CLUSTER_SPEC: ArgumentSpec = {
    "cluster": {"type": "str", "default": "pulsar-aws-useast2"},
    "admin_url": {"type": "str", "fallback": (env_fallback, ["ASTRA_STREAMING_API_URL"])},
}
_TENANT_SPEC: ArgumentSpec = {"tenant": {"type": "str", "required": True}, **_CLUSTER_SPEC}
_SHARED_SPECS: Mapping[str | None, ArgumentSpec] = {
    None: {},
    "cluster": _CLUSTER_SPEC,
    "tenant": _TENANT_SPEC,
    "namespace": {"namespace": {"type": "str", "required": True}, **_TENANT_SPEC},
}
_ORGANIZATION_SPEC: ArgumentSpec = {"organization_id": {"type": "str", "aliases": ["org_id"]}}
_WAY_SPEC: ArgumentSpec = {
    "topic": {"type": "str", "required": True},
    "client_conf": {"type": "str", "no_log": True},
    "endpoint": {"type": "str"},
    "pulsar_token": {"type": "str", "no_log": True},
    "web_service_url": {"type": "str"},
}
_DELIVERY_SPEC: ArgumentSpec = {
    **_WAY_SPEC,
    # Not from the environment: it would be sent to whatever web_service_url names.
    "application_token": {"type": "str", "no_log": True},
    "cluster": {"type": "str", "default": "pulsar-aws-useast2"},
    **{name: CONNECTION_SPEC[name] for name in ("validate_certs", "ca_path", "timeout")},
}
_PROBE_SPEC: ArgumentSpec = {
    **{name: option for name, option in _WAY_SPEC.items() if name != "endpoint"},
    "wait_timeout": {"type": "int", "default": 120},
    **_ORGANIZATION_SPEC,
    **CONNECTION_SPEC,
}
_STREAM_SPEC: ArgumentSpec = {
    "endpoint": {"type": "str"},
    "topic": {"type": "str"},
    "auth_strategy": {"type": "str", "choices": ["token", "oauth2"], "default": "token"},
    "auth_name": {"type": "str"},
    "pulsar_token": {"type": "str", "no_log": True},
    "oauth2_credentials_url": {"type": "str", "no_log": True},
    "oauth2_issuer_url": {"type": "str"},
    "oauth2_audience": {"type": "str"},
    "oauth2_scope": {"type": "str"},
    "update_token": UPDATE_SECRETS,
    "known_token_fingerprint": {"type": "str", "no_log": False},
    "fingerprint_store": {"type": "str"},
    "web_service_url": {"type": "str"},
    "verify_destination": {"type": "bool", "default": False},
    "validate_region": {"type": "bool", "default": True},
}


# What Ansible itself shows of an option that is not logged.
HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


class Command(NamedTuple):
    """What a module does.

    :ivar execute: takes the validated options, whether it is check mode, and a list that it appends warnings to;
        returns a result or raises an AstraError. That of a resource of a tenant takes a ``KnownTenant`` besides.
    :ivar secret_values: the return values that are secret. Ansible shows nothing of a result that has one.
    """

    argument_spec: ArgumentSpec
    execute: Callable[..., dict[str, Any]]
    secret_values: tuple[str, ...] = ()


def perform(command: Command, params: Mapping[str, Any], check_mode: bool, diff: bool) -> dict[str, Any]:
    """Perform a command and return its result; the one place where an exception becomes a failed result.

    :arg params: the validated options.
    :arg diff: whether the result shall have a ``diff``.
    """
    warnings: list[str] = []
    try:
        if _http.REQUESTS_IMPORT_ERROR:
            raise InputError(missing_required_lib("requests"))
        result = command.execute(params, check_mode, warnings)
    except AstraError as error:
        result = {"failed": True, "changed": False, "msg": error.message, **error.result}
    if not diff:
        result.pop("diff", None)
    if warnings:
        result["warnings"] = warnings
    return result


def describe_invocation(command: Command, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a result says of its task's options, without free-form data that may hold secrets."""
    spec = command.argument_spec
    free_form = [name for name, option in spec.items() if option["type"] == "dict" and option.get("no_log")]
    hidden = {name: HIDDEN for name in free_form if params.get(name) is not None}
    return {"module_args": {**params, **hidden}}


def run_module(command: Command) -> None:
    """Be the ``main`` of a module."""
    module = AnsibleModule(argument_spec=command.argument_spec, supports_check_mode=True)
    # Ansible's own set has everything of free-form data, and it would hide each number of a result that is in it.
    module.no_log_values = find_secrets(command.argument_spec, module.params)
    result = perform(command, module.params, module.check_mode, module._diff)
    result["invocation"] = describe_invocation(command, module.params)
    for warning in result.pop("warnings", ()):
        module.warn(warning)
    if result.get("failed"):
        module.fail_json(**result)
    module.exit_json(**result)


def make_command(resource: type[DeclaredResource]) -> Command:
    """Return what the module of a declared resource does."""
    spec = {**STATE_SPEC, **_share_spec(resource), **resource.spec, **WAIT_SPEC}

    def execute(
        params: Mapping[str, Any], check_mode: bool, warnings: list[str], tenant: KnownTenant | None = None
    ) -> dict[str, Any]:
        with _open_resource(resource, spec, params, warnings) as opened:
            if tenant and isinstance(opened, StreamingResource):
                opened.know(tenant)
            settings = Settings(params["wait"], params["wait_timeout"], names_blocker=tenant is None)
            result = converge(opened, settings, check_mode)
        warnings += result.pop("warnings")
        return result

    return Command(spec, execute, resource.secret_values)


def make_info_command(resource: type[DeclaredResource]) -> Command:
    """Return what the info module of a declared resource does: it shows one, or lists all."""
    list_key = str(resource.list_key)
    last = resource.identity_options[-1]
    names = {name: resource.spec[name] for name in resource.identity_options if name in resource.spec}
    spec = {**_share_spec(resource), **names, last: {**names[last], "required": False}}

    def execute(params: Mapping[str, Any], check_mode: bool, warnings: list[str]) -> dict[str, Any]:
        options = {"state": None, **dict.fromkeys(resource.spec), **params}
        with _open_resource(resource, spec, options, warnings) as opened:
            if params[last] is None:
                listed = opened.list(UNBOUNDED)
                if opened.blocker:
                    raise InputError(opened.blocker)
                return {"changed": False, list_key: [opened.hide(each) for each in listed]}
            stored = opened.read(UNBOUNDED)
            return {"changed": False, "exists": stored is not None, resource.kind: stored and opened.hide(stored)}

    return Command(spec, execute)


def _share_spec(resource: type[DeclaredResource]) -> ArgumentSpec:
    return {**_SHARED_SPECS[resource.shared_options], **CONNECTION_SPEC}


@contextlib.contextmanager
def _open_resource(
    resource: type[DeclaredResource], spec: ArgumentSpec, params: Mapping[str, Any], warnings: list[str]
) -> Iterator[DeclaredResource]:
    problems, more = examine_connection(params)
    warnings += more
    if problems := [*problems, *resource.examine(params)]:
        raise InputError(problems)
    with contextlib.ExitStack() as stack:
        http = stack.enter_context(open_http(params))
        yield resource(params, Api(http, params["application_token"], find_secrets(spec, params)), stack)


def _examine(params: Mapping[str, Any], warnings: list[str]) -> Request:
    findings = examine(params, time.time())
    warnings += findings.warnings
    if findings.request is None:
        raise InputError(findings.problems)
    return findings.request


def _execute_stream(
    params: Mapping[str, Any], check_mode: bool, warnings: list[str], is_confirmed: bool = False
) -> dict[str, Any]:
    request = _examine(params, warnings)
    secrets = find_secrets(AUDIT_LOG_STREAM.argument_spec, params)

    def verify(request: Request) -> list[str]:
        return verify_stream(request, params)

    def run(options: Mapping[str, Any]) -> dict[str, Any]:
        policy = Policy(options["update_token"], options["known_token_fingerprint"])
        api = Api(http, params["application_token"], secrets)
        check = verify if params["verify_destination"] else None
        stream = AuditLogStream(api, request, policy, check, is_confirmed)
        return converge(stream, Settings(params["wait"], params["wait_timeout"]), check_mode)

    with contextlib.ExitStack() as stack:
        http = stack.enter_context(open_http(params))
        if params["fingerprint_store"] != TOPIC_STORE:
            result = run(params)
        elif store := open_topic_store(request, params, secrets, stack):
            result = run_with_store(store, request.organization_id or "", params, check_mode, run)
        else:
            result = run(params)
            warnings.append(
                "The topic's properties were left alone, because that needs topic, pulsar_token and web_service_url."
            )
    warnings += result.pop("warnings")
    return result


def open_topic_store(
    request: Request,
    params: Mapping[str, Any],
    secrets: Iterable[str],
    stack: contextlib.ExitStack,
    read: Callable[[Api, str], Mapping[str, str]] = read_properties,
) -> TopicStore | None:
    """Return the fingerprint store in the properties of a stream's topic, or None where the topic cannot be asked.

    State absent does not need to know the topic, so that it may not be given then.

    :arg read: for ``TopicStore``.
    """
    token = request.pulsar_token or params["pulsar_token"]
    try:
        topic = request.stream.get("topic") or normalize_topic(params["topic"] or "")
    except InputError:
        return None
    if not token or not params["web_service_url"]:
        return None
    http = stack.enter_context(open_http(params, "web_service_url"))
    return TopicStore(Api(http, token, secrets), topic, read)


def verify_stream(request: Request, params: Mapping[str, Any]) -> list[str]:
    """Ask the broker whether it would take the events of a stream.

    :returns: warnings about what could not be asked.
    :raises InputError: the events would not arrive.
    """
    if not request.pulsar_token:
        return ["The destination was not verified, because that needs pulsar_token."]
    options = {name: params[name] for name in ("validate_certs", "ca_path", "timeout")}
    found = verify_destination(request.stream["endpoint"], request.stream["topic"], request.pulsar_token, **options)
    if found is None:
        return []
    if found.state == FAILED:
        # What is in between may treat this machine and the service differently. What the broker says is for both.
        between = " If only this machine gets that, set verify_destination to false." if found.id == "tls" else ""
        raise InputError(f"The events would not arrive, so nothing was sent: {found.message} {found.advice}{between}")
    return [f"The destination was not verified. {found.message} {found.advice}"]


def _execute_info(params: Mapping[str, Any], check_mode: bool, warnings: list[str]) -> dict[str, Any]:
    organization_id = _examine(params, warnings).organization_id
    with open_http(params) as http:
        api = Api(http, params["application_token"])
        organization_id = organization_id or api.find_organization()
        try:
            stored = read_stream(api, organization_id)
            warnings += [] if stored else confirm_absence(api, organization_id)
        except AstraError as error:
            error.result["organization_id"] = organization_id
            raise
    return {
        "changed": False,
        "exists": stored is not None,
        "organization_id": organization_id,
        "stream": stored.stream if stored else None,
    }


def _execute_delivery(params: Mapping[str, Any], check_mode: bool, warnings: list[str]) -> dict[str, Any]:
    way = read_way(params, warnings)
    token = params["application_token"]
    judgement = check_delivery(
        way,
        admin_token=token,
        admin_headers={"X-DataStax-Pulsar-Cluster": params["cluster"]} if token else None,
        **{name: params[name] for name in ("validate_certs", "ca_path", "timeout")},
    )
    return {"changed": False, **describe(judgement)}


def _execute_probe(params: Mapping[str, Any], check_mode: bool, warnings: list[str]) -> dict[str, Any]:
    way = read_way(params, warnings, ("pulsar_token",))
    organization_id = _examine(params, warnings).organization_id
    if not way.web_service_url:
        raise InputError("web_service_url is needed, or a client_conf that has it.")
    if check_mode:
        return {"changed": False, **NOT_TRIED._asdict()}
    with contextlib.ExitStack() as stack:
        devops = stack.enter_context(open_http(params))
        admin = stack.enter_context(open_http({**params, "web_service_url": way.web_service_url}, "web_service_url"))
        api = Api(devops, params["application_token"], find_secrets(_PROBE_SPEC, params))
        get = make_get(admin, way.destination.token or "", UNBOUNDED)
        organization_id = organization_id or api.find_organization()
        arrival = probe(api, organization_id, get, way.destination.topic, params["wait_timeout"])
    return {"changed": False, **arrival._asdict()}


AUDIT_LOG_STREAM = Command(
    {**STATE_SPEC, **_STREAM_SPEC, **WAIT_SPEC, **_ORGANIZATION_SPEC, **CONNECTION_SPEC}, _execute_stream
)
# For an organization of which somebody has just found out that it is the token's own.
AUDIT_LOG_STREAM_CONFIRMED = AUDIT_LOG_STREAM._replace(execute=functools.partial(_execute_stream, is_confirmed=True))
AUDIT_LOG_STREAM_INFO = Command({**_ORGANIZATION_SPEC, **CONNECTION_SPEC}, _execute_info)
AUDIT_LOG_DELIVERY_INFO = Command(_DELIVERY_SPEC, _execute_delivery)
AUDIT_LOG_PROBE = Command(_PROBE_SPEC, _execute_probe)
ROLE = make_command(Role)
ROLE_INFO = make_info_command(Role)
STREAMING_TENANT = make_command(StreamingTenant)
STREAMING_TENANT_INFO = make_info_command(StreamingTenant)
STREAMING_NAMESPACE = make_command(StreamingNamespace)
STREAMING_NAMESPACE_INFO = make_info_command(StreamingNamespace)
STREAMING_TOPIC = make_command(StreamingTopic)
STREAMING_TOPIC_INFO = make_info_command(StreamingTopic)
STREAMING_TOKEN = make_command(StreamingToken)
STREAMING_TOKEN_INFO = make_info_command(StreamingToken)
STREAMING_SINK = make_command(StreamingSink)
STREAMING_SINK_INFO = make_info_command(StreamingSink)
TOKEN = make_command(Token)
TOKEN_INFO = make_info_command(Token)
