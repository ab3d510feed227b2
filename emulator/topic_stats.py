# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The routes of Pulsar's admin API that tell what goes on at a topic."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.callers import look_at
from emulator.requests import answer_json, get_service
from emulator.topic import Subscription, Topic


async def _get_stats(request: Request) -> Response:
    return answer_json(request, _show_stats(request, look_at(request, "GET_STATS").single()))


async def _get_partitioned_stats(request: Request) -> Response:
    found = look_at(request, "GET_STATS")
    found.need_partitions()
    each = {f"{found.full_name}-partition-{n}": _show_stats(request, t) for n, t in enumerate(found.topics)}
    total = _sum_stats(list(each.values()))
    total["metadata"] = {"partitions": len(each), "deleted": False}
    total["partitions"] = each if request.query_params.get("perPartition", "true") == "true" else {}
    return answer_json(request, total)


def _sum_stats(all_of_them: list[dict]) -> dict:
    total = {
        name: sum(stats[name] for stats in all_of_them)
        for name, value in all_of_them[0].items()
        if isinstance(value, (int, float))
    }
    total["publishers"] = [publisher for stats in all_of_them for publisher in stats["publishers"]]
    total["subscriptions"] = {}
    for stats in all_of_them:
        for name, shown in stats["subscriptions"].items():
            merged = total["subscriptions"].setdefault(
                name, {**shown, "msgBacklog": 0, "backlogSize": 0, "consumers": []}
            )
            merged["msgBacklog"] += shown["msgBacklog"]
            merged["backlogSize"] += shown["backlogSize"]
            merged["consumers"] = [*merged["consumers"], *shown["consumers"]]
    return total


def _show_stats(request: Request, topic: Topic) -> dict:
    clock = get_service(request).conditions.clock
    oldest = min((each.position for each in topic.subscriptions.values()), default=topic.end)
    return {
        "msgRateIn": 0.0,
        "msgThroughputIn": 0.0,
        "msgRateOut": 0.0,
        "msgThroughputOut": 0.0,
        "bytesInCounter": topic.bytes_in,
        "msgInCounter": topic.end,
        "bytesOutCounter": 0,
        "msgOutCounter": 0,
        "averageMsgSize": 0.0,
        "msgChunkPublished": False,
        "storageSize": topic.size_from(topic.first),
        "backlogSize": topic.size_from(oldest),
        "publishRateLimitedTimes": 0,
        "publishers": [
            {
                "accessMode": "Shared",
                "producerName": producer.name,
                "producerId": number,
                "msgRateIn": 0.0,
                "msgThroughputIn": 0.0,
                "averageMsgSize": 0.0,
                "supportsPartialProducer": False,
                "address": "/127.0.0.1:50000",
                "connectedSince": clock.text(producer.connected_at),
                "metadata": {},
            }
            for number, producer in enumerate(topic.producers.values())
        ],
        "waitingPublishers": 0,
        "subscriptions": {name: _show_subscription(request, topic, each) for name, each in topic.subscriptions.items()},
        "replication": {},
        "deduplicationStatus": "Disabled",
        "nonContiguousDeletedMessagesRanges": 0,
    }


def _show_subscription(request: Request, topic: Topic, subscription: Subscription) -> dict:
    clock = get_service(request).conditions.clock
    return {
        "msgRateOut": 0.0,
        "msgBacklog": topic.end - subscription.position,
        "backlogSize": topic.size_from(subscription.position),
        "blockedSubscriptionOnUnackedMsgs": False,
        "unackedMessages": 0,
        "type": "Shared",
        "msgRateExpired": 0.0,
        "lastConsumedTimestamp": int(subscription.active_at * 1000) if subscription.consumers else 0,
        "consumers": [
            {
                "consumerName": consumer.name,
                "availablePermits": 1000,
                "unackedMessages": 0,
                "address": "/127.0.0.1:50001",
                "connectedSince": clock.text(consumer.connected_at),
                "metadata": {},
            }
            for consumer in subscription.consumers.values()
        ],
        "isDurable": True,
        "isReplicated": False,
    }


async def _get_internal_stats(request: Request) -> Response:
    found = look_at(request, "GET_STATS")
    topic = found.single()
    clock = get_service(request).conditions.clock
    last = f"{topic.ledger}:{topic.end - 1}"
    return answer_json(
        request,
        {
            "entriesAddedCounter": topic.end,
            "numberOfEntries": len(topic.entries),
            "totalSize": topic.size_from(topic.first),
            "currentLedgerEntries": len(topic.entries),
            "currentLedgerSize": topic.size_from(topic.first),
            "lastLedgerCreatedTimestamp": clock.text(topic.created_at),
            "waitingCursorsCount": 0,
            "pendingAddEntriesCount": 0,
            "lastConfirmedEntry": last,
            "state": "LedgerOpened",
            "ledgers": [
                {"ledgerId": topic.ledger, "entries": 0, "size": 0, "offloaded": False, "underReplicated": False}
            ],
            "cursors": {
                name: {
                    "markDeletePosition": f"{topic.ledger}:{subscription.position - 1}",
                    "readPosition": f"{topic.ledger}:{subscription.position}",
                    "messagesConsumedCounter": subscription.position,
                    "active": bool(subscription.consumers),
                    "state": "Open",
                }
                for name, subscription in topic.subscriptions.items()
            },
            "schemaLedgers": [],
            "compactedLedger": {
                "ledgerId": -1,
                "entries": -1,
                "size": -1,
                "offloaded": False,
                "underReplicated": False,
            },
        },
    )


_TOPIC = "/admin/v2/persistent/{tenant}/{namespace}/{topic}"

ROUTES = [
    Route(f"{_TOPIC}/stats", _get_stats),
    Route(f"{_TOPIC}/partitioned-stats", _get_partitioned_stats),
    Route(f"{_TOPIC}/internalStats", _get_internal_stats),
]
