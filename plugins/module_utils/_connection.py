# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How to reach Astra's APIs: the options that all modules share, and the connections."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.datastax.astra.plugins.module_utils._http import Http

LONGEST_TIMEOUT = 3600  # seconds

_WEB_HOST = re.compile(r"(?:[a-z0-9_][a-z0-9._-]*|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.IGNORECASE | re.ASCII)
_LOOPBACK = re.compile(r"(?:localhost|127\.[0-9.]+|\[::1\])(?::[0-9]+)?")
_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]+")


def examine_connection(options: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Find every mistake in the options of the connection that can be seen offline.

    :returns: problems and warnings: sentences that name the option and never repeat a value.
    """
    problems: list[str] = []
    warnings: list[str] = []
    token = (options["application_token"] or "").strip()
    if not token:
        problems.append("application_token is needed: give the option or set ASTRA_DB_APPLICATION_TOKEN.")
    elif not token.startswith("AstraCS:"):
        problems.append("application_token must be an Astra application token, which starts with AstraCS:.")
    elif not _VISIBLE_ASCII.fullmatch(token):
        problems.append("application_token contains white space or characters that no Astra token has.")
    for name in ("api_url", "admin_url"):
        if options.get(name) is not None:
            examine_url(name, options[name], problems, warnings)
    if not 1 <= options["timeout"] <= LONGEST_TIMEOUT:
        problems.append(f"timeout must be between 1 and {LONGEST_TIMEOUT} seconds.")
    if options["retries"] < 0:
        problems.append("retries must not be negative.")
    if options.get("wait_timeout", 0) < 0:
        problems.append("wait_timeout must not be negative.")
    return problems, warnings


def examine_url(name: str, value: str, problems: list[str], warnings: list[str]) -> None:
    """Find every mistake in the URL of a web service, as sentences that name the option.

    :arg name: the option that the URL comes from.
    """
    scheme, _separator, rest = value.strip().partition("://")
    host = rest.split("/", 1)[0]
    if any(character in rest for character in "@?#"):
        problems.append(f"{name} must not contain a user name, a query or a fragment.")
    elif scheme.lower() not in ("http", "https") or not _WEB_HOST.fullmatch(host) or not _VISIBLE_ASCII.fullmatch(rest):
        problems.append(f"{name} must be a URL, such as https://api.astra.datastax.com.")
    elif rest.rstrip("/").endswith("/v2"):
        problems.append(f"{name} must be given without /v2.")
    elif scheme.lower() == "http" and not _LOOPBACK.fullmatch(host):
        warnings.append(f"{name} is not https: the tokens travel unencrypted.")


def open_http(options: Mapping[str, Any], url_option: str = "api_url", **more: Any) -> Http:
    """Return the connections that the options of a module describe.

    :arg url_option: the option with the base URL.
    :arg more: further arguments of ``Http``.
    :raises InputError: ``ca_path`` cannot be used.
    """
    names = ("validate_certs", "ca_path", "timeout", "retries")
    return Http(options[url_option], url_option=url_option, **{name: options[name] for name in names}, **more)
