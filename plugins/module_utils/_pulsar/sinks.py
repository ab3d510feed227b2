# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A sink's configuration as Pulsar has it, read into options and written from them, and its status. Pure code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Callable, NamedTuple

from ansible_collections.datastax.astra.plugins.module_utils._documents import read_flag, read_keys, read_number
from ansible_collections.datastax.astra.plugins.module_utils._errors import Broken, InputError, ServiceError
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.statistics import TopicUse

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

    def judge(
        self, label: str, has_changed: bool, subscription: str, uses: Iterable[TopicUse | None]
    ) -> tuple[str, ...]:
        """Return what the sink lacks before it works, as the end of a sentence.

        :arg label: what messages call it.
        :arg has_changed: whether this run made or changed it. Then its connector's words are no old story, and Pulsar
            may say that it runs before its subscription has a consumer.
        :arg uses: what the statistics of its topic say; asked for only when that matters.
        :raises Broken: its connector failed.
        """
        if self.words and (has_changed or not self.is_running):
            raise Broken(f"The connector of {label} failed: {self.words}.")
        if self.words:
            return (f"its connector said: {self.words}",)
        if not self.is_running:
            return ("it does not run",)
        is_consumed = not has_changed or any(use is not None and subscription in use.consumed for use in uses)
        return () if is_consumed else ("its subscription has no consumer",)


def check_connector(connector: str, listed: Iterable[Any]) -> None:
    """Check that a cluster has a connector.

    :arg listed: what it lists of those that it has.
    :raises InputError: it has not.
    """
    names = sorted(str(read_keys(each, "name")[0]) for each in listed)
    if connector not in names:
        raise InputError(f"The cluster has no connector {connector}. It has {', '.join(names)}.")


def read_config(document: Mapping[str, Any], key: Mapping[str, str]) -> dict[str, Any]:
    """Return what the configuration says, named as options.

    :arg key: tenant, namespace and name of the sink.
    :raises ServiceError: it is not a sink's.
    """
    archive, inputs, specs, configs = read_keys(document, "archive", "inputs", "inputSpecs", "configs")
    shown = {option: read_keys(document, field)[0] for option, field in _FIELDS.items()}
    if not isinstance(archive, str) or not isinstance(configs or {}, dict):
        raise ServiceError("Pulsar shows a sink that does not say its connector and its configuration.")
    return {
        **key,
        **shown,
        "connector": archive.removeprefix(_ARCHIVE),
        "topic": ", ".join(inputs or specs or ()),
        "configs": configs or {},
        "parallelism": read_number(document, "parallelism"),
        "subscription_name": shown["subscription_name"] or _name_subscription(key),
    }


def write_config(sink: Mapping[str, Any], configs: Mapping[str, Any], key: Mapping[str, str]) -> dict[str, Any]:
    """Return the configuration that options make.

    :arg configs: the connector's own, with its secrets.
    :arg key: tenant, namespace and name of the sink.
    """
    given = {field: sink[option] for option, field in _FIELDS.items() if sink.get(option) is not None}
    # The name that Pulsar chose is none that a later request may give.
    if given.get("sourceSubscriptionName") == _name_subscription(key):
        del given["sourceSubscriptionName"]
    return {**key, **given, "archive": _ARCHIVE + sink["connector"], "inputs": [sink["topic"]], "configs": configs}


def _name_subscription(key: Mapping[str, str]) -> str:
    """Return the name that Pulsar gives the subscription when the configuration has none."""
    return "/".join(key.values())


def read_status(document: Any, clean: Callable[[str], str]) -> Status:
    """Return what the status of a sink says; one that has none does not run.

    :arg clean: makes the connector's words into what a message can repeat.
    :raises ServiceError: it does not say it.
    """
    instances = [] if document is None else read_keys(document, "instances")[0]
    if not isinstance(instances, list):
        raise ServiceError("Pulsar shows a sink's status without its instances.")
    states = [read_keys(instance, "status")[0] for instance in instances]
    is_running = bool(states) and all(read_flag(state, "running") for state in states)
    return Status(is_running, clean(next(filter(None, map(_find_words, states)), "")).rstrip("."))


def _find_words(state: Any) -> str:
    error, *exceptions = read_keys(state, "error", "latestSystemExceptions", "latestSinkExceptions")
    told = (read_keys(each, "exceptionString")[0] for some in exceptions for each in some or ())
    return str(error or next(filter(None, told), ""))
