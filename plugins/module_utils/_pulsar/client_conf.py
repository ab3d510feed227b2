# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pulsar's client.conf, read into options and written from them. Pure code.

What each key may hold follows the authentication plugins of the Pulsar clients
(https://pulsar.apache.org/docs/security-jwt and https://pulsar.apache.org/docs/security-oauth2).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Callable, NamedTuple

from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.names import normalize_endpoint

TOKEN_OPTIONS = ("auth_name", "pulsar_token")
OAUTH2_OPTIONS = ("oauth2_credentials_url", "oauth2_issuer_url", "oauth2_audience", "oauth2_scope")
SECRET_OPTIONS = {"token": "pulsar_token", "oauth2": "oauth2_credentials_url"}
OPTIONS = ("endpoint", "auth_strategy", *TOKEN_OPTIONS, *OAUTH2_OPTIONS)

_KEYS = ("webServiceUrl", "brokerServiceUrl", "serviceUrl", "authPlugin", "authParams")

# By the last part of the class name, or by the short name that the C++ client and its bindings take.
_STRATEGIES = {
    "authenticationtoken": "token",
    "token": "token",
    "authenticationoauth2": "oauth2",
    "oauth2": "oauth2",
}

# The Java client spells the names in camel case, the C++ client and its bindings in snake case.
_OAUTH2_FIELDS = {
    "oauth2_credentials_url": ("privateKey", "private_key"),
    "oauth2_issuer_url": ("issuerUrl", "issuer_url"),
    "oauth2_audience": ("audience",),
    "oauth2_scope": ("scope",),
}

# The options without which a strategy cannot do; when all are given, the file is not needed for it.
_NEEDED = {"token": {"pulsar_token"}, "oauth2": {"oauth2_credentials_url", "oauth2_issuer_url"}}

_BLANKS = " \t\f"
_LINE_END = re.compile(r"\r\n|\r|\n")
# Every part can be empty, so it always matches and never backtracks: its time is linear.
_KEY_AND_VALUE = re.compile(r"((?:[^\\=: \t\f]+|\\.)*)[ \t\f]*[=:]?[ \t\f]*(.*)", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_CONTROL_ESCAPES = {"t": "\t", "n": "\n", "f": "\f", "r": "\r"}
_MALFORMED = r"has a malformed \u escape: \u needs four hexadecimal digits, and a plain backslash is written twice."

_TOKEN_PARAMS = re.compile(r"(?:token|file):.*|[\w-]+\.[\w-]+\.[\w-]*", re.ASCII | re.DOTALL)


def format_client_conf(web_service_url: str, broker_service_url: str, token: str) -> str:
    """Return the text of a client.conf with a token, with the ten keys that Astra's own has."""
    properties = {
        "webServiceUrl": web_service_url,
        "brokerServiceUrl": broker_service_url,
        "authPlugin": "org.apache.pulsar.client.impl.auth.AuthenticationToken",
        "authParams": f"token:{token}",
        "tlsAllowInsecureConnection": "false",
        "tlsEnableHostnameVerification": "true",
        "useKeyStoreTls": "false",
        "tlsTrustStoreType": "JKS",
        "tlsTrustStorePath": "",
        "tlsTrustStorePassword": "",
    }
    return "".join(f"{key}={value}\n" for key, value in properties.items())


class Property(NamedTuple):
    """One property: the number of its first line, its key, and its value.

    Key or value is None when it has a malformed ``\\u`` escape.
    """

    line: int
    key: str | None
    value: str | None


def parse(text: str) -> Iterator[Property]:
    """Yield each ``Property`` of a Java properties file, in the file's order, duplicates included.

    The grammar is the one of ``java.util.Properties.load``. A backslash that is alone in the file's last line is
    the one exception: Java takes it for a property with an empty key and an empty value, here it is nothing.
    """
    lines = enumerate(_LINE_END.split(text.removeprefix("\ufeff")), start=1)
    for number, physical in lines:
        line = physical.lstrip(_BLANKS)
        # Java goes on looking for a property, or for a comment, after a line that has nothing but a backslash.
        if line in ("", "\\") or line[0] in "#!":
            continue
        parts = []
        while _is_continued(line):
            parts.append(line[:-1])
            _number, physical = next(lines, (None, ""))
            line = physical.lstrip(_BLANKS)
        parts.append(line)
        match = _KEY_AND_VALUE.match("".join(parts))
        if match:  # always
            yield Property(number, *map(_unescape, match.groups()))


def _is_continued(line: str) -> bool:
    return (len(line) - len(line.rstrip("\\"))) % 2 == 1


def _unescape(text: str) -> str | None:
    """Return ``text`` with its escapes decoded, or None when one is malformed."""
    if "\\" not in text:
        return text
    malformed = False

    def decode(escape: re.Match[str]) -> str:
        nonlocal malformed
        digits, character = escape.groups()
        if digits:
            return chr(int(digits, 16))
        malformed = malformed or character == "u"
        return _CONTROL_ESCAPES.get(character, character)

    decoded = _ESCAPE.sub(decode, text)
    # A character outside the Basic Multilingual Plane is written as two escapes, a surrogate pair.
    return None if malformed else decoded.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def read_options(content: str | None, overrides: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Return the module's options that a client.conf and the caller's own values give together.

    An override wins over the file, and what it replaces there is not looked at, so it may be unusable. The strategy
    is that of an ``auth_strategy`` override, else that of the one secret among the overrides, else the file's; what
    the file says for another strategy is left out.

    :arg content: the text of client.conf, or None when there is no file.
    :arg overrides: values of ``OPTIONS`` by name; None or an empty string means not given.
    :returns: the options that have a value, and ``web_service_url`` when the file has it.
    :raises InputError: with every problem. Those of the file name line and key, and never a value or a path.
    """
    given = _examine_overrides(overrides or {})
    problems: list[str] = []
    conf = {} if content is None else _read(content, given, problems)
    options = {
        **_find_endpoint(conf, given, problems),
        **_find_authentication(conf, given, problems),
        **_find_web_service_url(conf, problems),
    }
    if problems:
        raise InputError(problems)
    return options


def _examine_overrides(overrides: Mapping[str, Any]) -> dict[str, str]:
    problems = []
    given = {}
    for option, value in overrides.items():
        if option not in OPTIONS:
            problems.append(f"{option!r} is not an option that can override client.conf.")
        elif value is not None and not isinstance(value, str):
            problems.append(f"{option} must be a string.")
        elif value and value.strip():
            given[option] = value.strip()
    if given.get("auth_strategy") not in (None, *SECRET_OPTIONS):
        problems.append("auth_strategy must be token or oauth2.")
    if problems:
        raise InputError(problems)
    return given


def _read(content: object, given: Mapping[str, str], problems: list[str]) -> dict[str, Property]:
    """Return the properties that are read here and have a value, by key."""
    if not isinstance(content, str):
        raise InputError("client.conf must be given as text.")
    properties = list(parse(content))
    conf = {entry.key: entry._replace(value=_trim(entry.value)) for entry in properties if entry.key in _KEYS}
    present = {key: entry for key, entry in conf.items() if entry.value != ""}
    asked = _find_asked_strategy(given)
    if "endpoint" in given and asked and _NEEDED[asked] <= given.keys():
        return {key: entry for key, entry in present.items() if entry.value is not None}
    if content.startswith("$ANSIBLE_VAULT;"):
        raise InputError(
            "client.conf is still encrypted with Ansible Vault: read it with the ansible.builtin.file lookup, "
            "which decrypts it."
        )
    if not conf:
        raise InputError(
            "This does not look like a client.conf, it has none of the keys brokerServiceUrl, authPlugin and "
            "authParams: download client.conf from the Connect tab of the streaming tenant in the Astra portal."
        )
    # Only the keys read here are named: any other may be a secret that was put in the wrong place.
    problems += [
        f"client.conf line {entry.line}: a property {_MALFORMED}"
        for entry in properties
        if entry.key not in _KEYS and None in entry
    ]
    if not {"brokerServiceUrl", "serviceUrl"} & present.keys() and "endpoint" not in given:
        problems.append("client.conf has no brokerServiceUrl: add it, or give endpoint.")
    return present


def _trim(value: str | None) -> str | None:
    """Return ``value`` without the white space and the one pair of quotes around it, which Java would keep."""
    if value is None:
        return None
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1].strip()
    return value


def _attempt(entry: Property, problems: list[str], read: Callable[..., Any], *arguments: Any) -> Any:
    """Return ``read(*arguments)``, or None when that or the text of ``entry`` is a problem.

    ``read``, as every reader below, raises an InputError whose message goes on after the name of the key.
    """
    try:
        if entry.value is None:
            raise InputError(_MALFORMED)
        return read(*arguments)
    except InputError as error:
        problems.append(f"client.conf line {entry.line}: {entry.key} {error.message}")
        return None


def _find_web_service_url(conf: Mapping[str, Property], problems: list[str]) -> dict[str, str]:
    entry = conf.get("webServiceUrl")
    url = _attempt(entry, problems, _check_printable, entry.value) if entry else None
    return {"web_service_url": url} if url else {}


def _find_endpoint(conf: Mapping[str, Property], given: Mapping[str, str], problems: list[str]) -> dict[str, str]:
    if "endpoint" in given:
        try:
            return {"endpoint": normalize_endpoint(given["endpoint"])}
        except InputError as error:
            problems.append(f"endpoint {error.message}")
            return {}
    entry = conf.get("brokerServiceUrl") or conf.get("serviceUrl")
    endpoint = _attempt(entry, problems, normalize_endpoint, entry.value) if entry else None
    return {"endpoint": endpoint} if endpoint else {}


def _find_authentication(conf: Mapping[str, Property], given: Mapping[str, str], problems: list[str]) -> dict[str, str]:
    plugin, params = conf.get("authPlugin"), conf.get("authParams")
    asked = _find_asked_strategy(given)
    unusable: list[str] = []
    stated = None
    if plugin:
        stated = _attempt(plugin, unusable, _read_plugin, plugin.value)
    elif params:
        # With nothing else to go by, authParams that cannot be told apart are read, and refused, as what was asked.
        stated = _attempt(params, unusable, _recognize_params, params.value) or asked
    if not asked:
        problems += unusable
    strategy = asked or stated
    options = {}
    if params and strategy and strategy == stated:
        read = _read_token_options if strategy == "token" else _read_oauth2_options
        options.update(read(params, given, problems))
    options.update((option, given[option]) for option in (*TOKEN_OPTIONS, *OAUTH2_OPTIONS) if option in given)
    if strategy:
        options["auth_strategy"] = strategy
    if strategy == "token":
        options.setdefault("auth_name", "token")
    return options


def _find_asked_strategy(given: Mapping[str, str]) -> str | None:
    by_secret = [strategy for strategy, secret in SECRET_OPTIONS.items() if secret in given]
    return given.get("auth_strategy") or (by_secret[0] if len(by_secret) == 1 else None)


def _read_plugin(name: str) -> str:
    strategy = _STRATEGIES.get(name.rpartition(".")[2].lower())
    if not strategy:
        raise InputError(
            "must be AuthenticationToken or AuthenticationOAuth2: audit log streaming cannot use Athenz, SASL, TLS, "
            "basic or any other authentication."
        )
    return strategy


def _recognize_params(params: str) -> str:
    if params.startswith("{"):
        fields = _parse_json_object(params)
        if "token" in fields:
            return "token"
        if any(name in fields for names in _OAUTH2_FIELDS.values() for name in names):
            return "oauth2"
    elif _TOKEN_PARAMS.fullmatch(params):
        return "token"
    raise InputError(
        "holds neither a token (token:<JWT>) nor OAuth2 settings, and audit log streaming cannot use anything else."
    )


def _read_token_options(params: Property, given: Mapping[str, str], problems: list[str]) -> dict[str, str]:
    if "pulsar_token" in given:
        return {}
    token = _attempt(params, problems, _read_token, params.value)
    return {"pulsar_token": token} if token else {}


def _read_token(params: str) -> str:
    if params.startswith("{"):
        fields = _parse_json_object(params)
        if "token" not in fields:
            raise InputError("is a JSON object without a token.")
        params = _read_field(fields, "token") or ""
    elif not _TOKEN_PARAMS.fullmatch(params):
        raise InputError("must be token:<JWT>, the JWT alone, or a JSON object with the token.")
    token = params.removeprefix("token:").strip()
    if token.startswith("file:"):
        raise InputError(
            "names a file on the machine where client.conf was written, instead of the token: give pulsar_token."
        )
    return _check_printable(token)


def _read_oauth2_options(params: Property, given: Mapping[str, str], problems: list[str]) -> dict[str, str]:
    unreadable: list[str] = []
    fields = _attempt(params, unreadable, _parse_json_object, params.value)
    if fields is None:
        if not _NEEDED["oauth2"] <= given.keys():
            problems += unreadable
        return {}
    options = {}
    for option, names in _OAUTH2_FIELDS.items():
        if option not in given:
            read = _read_credentials_url if option == "oauth2_credentials_url" else _read_field
            value = _attempt(params, problems, read, fields, *names)
            if value:
                options[option] = value
    return options


def _read_credentials_url(fields: Mapping[str, Any], *names: str) -> str | None:
    if fields.get("type") not in (None, "", "client_credentials"):
        raise InputError("has a type other than client_credentials, which is the only one that can be used.")
    url = _read_field(fields, *names)
    if url and not url.lower().startswith(("data:", "https://", "http://")):
        raise InputError(
            f"has a {names[0]} that names a file on the machine where client.conf was written: "
            "give oauth2_credentials_url as a data: URL."
        )
    return url


def _read_field(fields: Mapping[str, Any], *names: str) -> str | None:
    """Return the first of the fields ``names`` that has a value, or None."""
    for name in names:
        value = fields.get(name)
        if value is not None and not isinstance(value, str):
            raise InputError(f"must have a string as {name}.")
        if value and value.strip():
            return _check_printable(value.strip())
    return None


def _parse_json_object(text: str) -> dict[str, Any]:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise InputError("must be a complete JSON object; client.conf needs each backslash in it written twice.")
    return fields


def _check_printable(text: str) -> str:
    if not text.isprintable():
        raise InputError("contains control characters or characters that are no text.")
    return text
