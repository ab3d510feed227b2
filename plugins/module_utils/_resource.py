# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a resource declares, and what follows from that: comparison, plan, diff, and the words about it.

A resource says how it is read, made, changed and removed, and which of its options are compared. ``_convergence`` does
the rest, and ``_command`` makes the module, its in-process action and its info twin of it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any, Callable, ClassVar, NamedTuple

from ansible_collections.datastax.astra.plugins.module_utils._api import Api, Call
from ansible_collections.datastax.astra.plugins.module_utils._convergence import Plan
from ansible_collections.datastax.astra.plugins.module_utils._deadline import Deadline

ArgumentSpec = Mapping[str, Mapping[str, Any]]


class Field(NamedTuple):
    """An option that says how a resource shall be, and that the service shows.

    :ivar name: of the option, and of what ``read`` returns.
    :ivar normalize: brings either side into the form in which they are compared and shown.
    :ivar is_immutable: whether it can be given when the resource is made, and never again.
    """

    name: str
    normalize: Callable[[Any], Any] = lambda value: value
    is_immutable: bool = False


class DeclaredResource:
    """A resource that declares itself.

    :arg params: the module's validated options.
    :arg api: the DevOps API.
    :arg stack: closes what the resource opens besides.
    """

    kind: ClassVar[str]  # the key of the result that shows it
    spec: ClassVar[ArgumentSpec]  # its own options
    identity_options: ClassVar[tuple[str, ...]] = ("name",)  # those that say which one it is
    fields: ClassVar[tuple[Field, ...]] = ()
    needed_to_create: ClassVar[tuple[str, ...]] = ()
    is_streaming: ClassVar[bool] = False  # whether it has the options of Astra Streaming
    list_key: ClassVar[str | None] = None  # the key under which its info module lists all, if it can

    def __init__(self, params: Mapping[str, Any], api: Api, stack: contextlib.ExitStack) -> None:
        self.params = params
        self.devops = api
        self.stack = stack
        self.warnings: list[str] = []

    @property
    def api(self) -> Api:
        """The API that takes the writes."""
        return self.devops

    @property
    def label(self) -> str:
        """What messages call it."""
        return f"{self.kind} {'/'.join(str(self.params[name]) for name in self.identity_options if self.params[name])}"

    @property
    def identity(self) -> Mapping[str, Any]:
        """Return values that say which one it is."""
        return {}

    @classmethod
    def examine(cls, params: Mapping[str, Any]) -> Iterable[str]:
        """Yield a sentence for every mistake in the options that can be seen offline. It never repeats a secret."""
        return ()

    def read(self, deadline: Deadline) -> dict[str, Any] | None:
        """Return what the service shows, named as the options, or None where nothing exists."""
        raise NotImplementedError

    def list(self, deadline: Deadline) -> list[dict[str, Any]]:
        """Return all that exist, for the info module."""
        raise NotImplementedError

    def create(self, asked: dict[str, Any]) -> tuple[Call, ...]:
        """Return the requests that make it."""
        raise NotImplementedError

    def update(self, before: dict[str, Any], asked: dict[str, Any]) -> tuple[Call, ...]:
        """Return the requests that change it; ``asked`` has only what differs."""
        raise NotImplementedError

    def delete(self, before: dict[str, Any]) -> tuple[Call, ...]:
        """Return the requests that remove it."""
        raise NotImplementedError

    def describe_loss(self, before: dict[str, Any]) -> str | None:
        """Return what would be lost with it, as the end of a sentence, or None when that is nothing."""
        return None

    def find_unready(self, stored: dict[str, Any]) -> tuple[str, ...]:
        """Return what is still missing before it can be used, for the wait after a change."""
        return ()

    def plan(self, stored: dict[str, Any] | None) -> Plan:
        """Compare what is asked with what the service shows."""
        if self.params["state"] == "absent":
            return self._plan_absent(stored)
        asked = self._read_asked()
        if stored is None:
            missing = [name for name in self.needed_to_create if self.params[name] in (None, [], "")]
            return Plan(
                action="created",
                before=None,
                after=asked,
                diff={"before": {}, "after": asked},
                writes=self.create(asked) if not missing else (),
                refusal=f"{' and '.join(missing)} must be given to create {self.label}." if missing else None,
                pending=("it is not there yet",),
            )
        before = self._normalize(stored)
        changed = {name: value for name, value in asked.items() if before.get(name) != value}
        fixed = [field.name for field in self.fields if field.is_immutable and field.name in changed]
        after = {**before, **changed}
        return Plan(
            action="updated" if changed else "none",
            before=before,
            after=after,
            diff={"before": before, "after": after},
            writes=self.update(before, changed) if changed and not fixed else (),
            refusal=f"{' and '.join(fixed)} of {self.label} cannot be changed." if fixed else None,
            pending=(*changed, *self.find_unready(stored)),
        )

    def _plan_absent(self, stored: dict[str, Any] | None) -> Plan:
        if stored is None:
            return Plan("none", None, None, {"before": {}, "after": {}})
        before = self._normalize(stored)
        loss = None if self.params.get("force") else self.describe_loss(stored)
        return Plan(
            action="deleted",
            before=before,
            after=None,
            diff={"before": before, "after": {}},
            writes=self.delete(stored),
            refusal=f"{self.label} is not removed, because {loss}. Set force to true to lose that." if loss else None,
            pending=("it is still there",),
        )

    def _read_asked(self) -> dict[str, Any]:
        given = {name: self.params[name] for name in self.identity_options if self.params[name] is not None}
        given.update({field.name: self.params[field.name] for field in self.fields})
        return self._normalize({name: value for name, value in given.items() if value is not None})

    def _normalize(self, values: Mapping[str, Any]) -> dict[str, Any]:
        normalizers = {field.name: field.normalize for field in self.fields}
        return {name: normalizers.get(name, lambda value: value)(value) for name, value in values.items()}

    def check_write(self, plan: Plan, deadline: Deadline) -> None:
        """Have nothing to check but what the plan refuses."""

    def accept(self, call: Call, document: Any) -> None:
        """Take no note of what the service answers to a write."""

    def complete(self, plan: Plan, deadline: Deadline) -> Mapping[str, Any]:
        """Return nothing besides what the plan says."""
        return {}
