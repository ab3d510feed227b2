# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names and addresses of Pulsar, normalised. Pure code."""

from __future__ import annotations

import re

from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError

_BROKER_PREFIXES = re.compile(r"(?:(?:pulsar\+)*(?:pulsar|ssl)://)*", re.IGNORECASE | re.ASCII)
_BROKER = re.compile(
    r"((?=.{1,253}(?::|$))[a-z0-9_][a-z0-9_-]{0,62}(?:\.[a-z0-9_-]{1,63})*\.?|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?",
    re.IGNORECASE | re.ASCII,
)
_NAMED_ENTITY = re.compile(r"[-=:.\w]+", re.ASCII)


def normalize_endpoint(value: str) -> str:
    """Return a broker URL as the service wants it: ``pulsar://host[:port]`` or ``pulsar+ssl://host[:port]``.

    ``ssl://`` and a bare ``host[:port]`` become ``pulsar+ssl://``, a doubled prefix becomes one, a trailing slash
    is dropped and no port is invented. The vendor's page tells readers to prefix the URL of client.conf, which
    has the prefix already, so doubled prefixes are common.

    :raises InputError: the value is not the URL of one Pulsar broker. The message does not repeat the value,
        which may be a secret pasted in the wrong place.
    """
    text = value.strip()
    rest = _BROKER_PREFIXES.sub("", text, count=1)
    prefixes = text[: len(text) - len(rest)].lower()
    rest = rest.rstrip("/")
    if not rest:
        raise InputError("is empty, give the broker URL, such as pulsar+ssl://host:6651.")
    if rest.lower().startswith(("http://", "https://")):
        raise InputError("is a web URL, give the broker URL, which starts with pulsar+ssl://.")
    if "://" in rest:
        raise InputError("must start with pulsar+ssl:// or pulsar://.")
    if "," in rest:
        raise InputError("names several brokers, give the URL of one.")
    if "@" in rest:
        raise InputError("must not contain a user name or password.")
    broker = _BROKER.fullmatch(rest)
    if not broker or (broker.group(2) and not 0 < int(broker.group(2)) < 65536):
        raise InputError("must be a broker URL without a path, such as pulsar+ssl://host:6651.")
    scheme = "pulsar+ssl" if not prefixes or "ssl" in prefixes else "pulsar"
    return f"{scheme}://{rest.lower()}"


def normalize_topic(value: str) -> str:
    """Return the full name of a persistent topic, ``persistent://tenant/namespace/topic``.

    :raises InputError: the value is not the name of a persistent topic. The message does not repeat the value.
    """
    name = value.strip()
    if name.startswith("non-persistent://"):
        raise InputError("is non-persistent, an audit log needs a persistent topic.")
    if name.startswith("persistent://"):
        name = name[len("persistent://") :]
    parts = name.split("/")
    if len(parts) != 3 or "://" in name:
        raise InputError("must be written as persistent://tenant/namespace/topic.")
    tenant, namespace, topic = parts
    if not (_NAMED_ENTITY.fullmatch(tenant) and _NAMED_ENTITY.fullmatch(namespace)):
        raise InputError("has a tenant or namespace that is empty or has characters that Pulsar does not allow.")
    if not topic or not topic.isprintable() or any(character.isspace() for character in topic):
        raise InputError("has a topic name that is empty or contains white space.")
    return f"persistent://{name}"


def complete_topic(value: str, tenant: str, namespace: str) -> str:
    """Return the full name of a persistent topic of which the last part may be given alone.

    :arg tenant: of a topic that is given by its last part alone, like the namespace. Neither is checked.
    :raises InputError: the value is neither. The message does not repeat the value.
    """
    if "/" in value:
        return normalize_topic(value)
    name = normalize_topic(f"tenant/namespace/{value.strip()}").rpartition("/")[2]
    return f"persistent://{tenant}/{namespace}/{name}"
