# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is shown of a destination, because its result has a secret and is shown to nobody. Pure code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.datastax.astra.plugins.plugin_utils.screens import Line, Shape, head, wrap
from ansible_collections.datastax.astra.plugins.plugin_utils.variables import show_path


def show_destination(name: str, result: Mapping[str, Any], check_mode: bool, shape: Shape) -> list[Line]:
    """Return what became of the parts of a destination.

    :arg name: of the host.
    :arg result: of the role, without failure.
    """
    actions = {part: action for part, action in result["actions"].items() if action != "none"}
    if not actions:
        expiry = f"; its Pulsar token {_say_end(result)}" if result.get("token_id") else ""
        return head(f"Destination {name}: as it should be{expiry}", "ok", shape)
    would = "would be " if check_mode else ""
    lines = [Line(f"Destination {name}", "changed")]
    width = max(len(would + action) for action in actions.values())
    for part, action in actions.items():
        first, *others = wrap(_describe(part, result), shape.width - width - 4)
        lines.append(Line(f"  {would + action:<{width}}  {first}", "changed"))
        lines += (Line(" " * (width + 4) + text, "changed") for text in others)
    if result.get("replaced_token_id"):
        old, new = result["replaced_token_id"], result.get("token_id") or "the new one"
        text = f"Pulsar token {old} stays valid until every stream has {new}."
        lines += (Line(f"  {line}", "warn") for line in wrap(text, shape.width - 2))
    return lines


def _describe(part: str, result: Mapping[str, Any]) -> str:
    name = result["names"][part]
    if part == "topic" and "subscriptions" in result:
        return f"topic {name}, {_count('subscription', result['subscriptions'])}"
    if part == "token":
        end = f", {_say_end(result)}" if result.get("token_id") else ""
        return f"Pulsar token {name}{end}" if name else "Pulsar token"
    if part == "client_conf":
        how = " " if result["actions"][part] == "deleted" else ", encrypted, as "
        return f"client.conf{how}{show_path(name)}"
    return f"{part} {name}"


def _say_end(result: Mapping[str, Any]) -> str:
    return f"ends {result['expires_at'][:10]}" if result.get("expires_at") else "has no end"


def _count(thing: str, names: Any) -> str:
    # The name stays with the word, where the line is wrapped.
    return f"{thing}{'' if len(names) == 1 else 's'}\u00a0{', '.join(names)}" if names else f"no {thing}"
