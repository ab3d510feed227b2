# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A sink's configuration as Pulsar has it, read into options and written from them, and its status. Pure code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ansible_collections.datastax.astra.plugins.module_utils._documents import read_flag, read_keys, read_number
from ansible_collections.datastax.astra.plugins.module_utils._errors import ServiceError

# The options that are a field of the configuration under another name.
_FIELDS = {
    "parallelism": "parallelism",
    "processing_guarantees": "processingGuarantees",
    "subscription_name": "sourceSubscriptionName",
    "subscription_position": "sourceSubscriptionPosition",
}
_ARCHIVE = "builtin://"


class Status(NamedTuple):
    """Whether all instances of a sink run, and what its connector says of a failure, if anything."""

    is_running: bool
    words: str


def read_config(document: Mapping[str, Any], default_subscription: str) -> dict[str, Any]:
    """Return what the configuration says, named as options.

    :arg default_subscription: the name that Pulsar gives the subscription when the configuration has none.
    :raises ServiceError: it is not a sink's.
    """
    archive, inputs, specs, configs = read_keys(document, "archive", "inputs", "inputSpecs", "configs")
    shown = {option: read_keys(document, field)[0] for option, field in _FIELDS.items()}
    if not isinstance(archive, str) or not isinstance(configs or {}, dict):
        raise ServiceError("Pulsar shows a sink that does not say its connector and its configuration.")
    return {
        **shown,
        "connector": archive.removeprefix(_ARCHIVE),
        "topic": ", ".join(inputs or specs or ()),
        "configs": configs or {},
        "parallelism": read_number(document, "parallelism"),
        "subscription_name": shown["subscription_name"] or default_subscription,
    }


def write_config(sink: Mapping[str, Any], configs: Mapping[str, Any], default_subscription: str) -> dict[str, Any]:
    """Return the configuration that options make.

    :arg configs: the connector's own, with its secrets.
    :arg default_subscription: is left out: the name that Pulsar chose is none that a later request may give.
    """
    given = {field: sink[option] for option, field in _FIELDS.items() if sink.get(option) is not None}
    if given.get("sourceSubscriptionName") == default_subscription:
        del given["sourceSubscriptionName"]
    return {**given, "archive": _ARCHIVE + sink["connector"], "inputs": [sink["topic"]], "configs": configs}


def read_status(document: Any) -> Status:
    """Return what the status of a sink says; one that has none does not run.

    :raises ServiceError: it does not say it.
    """
    instances = [] if document is None else read_keys(document, "instances")[0]
    if not isinstance(instances, list):
        raise ServiceError("Pulsar shows a sink's status without its instances.")
    states = [read_keys(instance, "status")[0] for instance in instances]
    is_running = bool(states) and all(read_flag(state, "running") for state in states)
    return Status(is_running, next(filter(None, map(_find_words, states)), ""))


def _find_words(state: Any) -> str:
    error, *exceptions = read_keys(state, "error", "latestSystemExceptions", "latestSinkExceptions")
    told = (read_keys(each, "exceptionString")[0] for some in exceptions for each in some or ())
    return str(error or next(filter(None, told), ""))


def has_consumer(statistics: Any, subscription: str) -> bool:
    """Tell whether a subscription has a consumer, as a topic's statistics show it; where there are none, it has not.

    :raises ServiceError: they do not show it.
    """
    subscriptions = {} if statistics is None else read_keys(statistics, "subscriptions")[0]
    if not isinstance(subscriptions, dict):
        raise ServiceError("Pulsar's statistics of a topic do not show its subscriptions.")
    return bool(read_keys(subscriptions.get(subscription), "consumers")[0])
