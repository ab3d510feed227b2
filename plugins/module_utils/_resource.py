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
from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError

ArgumentSpec = Mapping[str, Mapping[str, Any]]


class Field(NamedTuple):
    """An option that says how a resource shall be, and that the service shows.

    :ivar name: of the option, and of what ``read`` returns.
    :ivar normalize: brings either side into the form in which they are compared and shown.
    :ivar is_immutable: whether it can be given when the resource is made, and never again.
    :ivar combine: makes what shall be of what is and what is asked, for an option that leaves a part as it is.
    """

    name: str
    normalize: Callable[[Any], Any] = lambda value: value
    is_immutable: bool = False
    combine: Callable[[Any, Any], Any] = lambda before, asked: asked


class DeclaredResource:
    """A resource that declares itself.

    :arg params: the module's validated options.
    :arg api: the DevOps API.
    :arg stack: closes what the resource opens besides.
    :ivar blocker: what has to exist before it, and does not: a sentence that ``read`` leaves; otherwise None.
    """

    kind: ClassVar[str]  # the key of the result that shows it
    spec: ClassVar[ArgumentSpec]  # its own options
    identity_options: ClassVar[tuple[str, ...]] = ("name",)  # those that say which one it is
    fields: ClassVar[tuple[Field, ...]] = ()
    needed_to_create: ClassVar[tuple[str, ...]] = ()
    is_completed_by_update: ClassVar[bool] = False  # whether a new one has values that are known only once it exists
    shared_options: ClassVar[str | None] = (
        None  # further ones: streaming, or cluster, which is those without the tenant
    )
    list_key: ClassVar[str | None] = None  # the key under which its info module lists all, if it can

    def __init__(self, params: Mapping[str, Any], api: Api, stack: contextlib.ExitStack) -> None:
        self.params = params
        self.devops = api
        self.stack = stack
        self.warnings: list[str] = []
        self.blocker: str | None = None

    @property
    def api(self) -> Api:
        """The API that takes the writes."""
        return self.devops

    @property
    def key(self) -> dict[str, Any]:
        """What says which one it is, as ``read`` shows it."""
        return {name: self.params[name] for name in self.identity_options if self.params[name] is not None}

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
        for field in cls.fields:
            if params.get(field.name) is not None:
                try:
                    field.normalize(params[field.name])
                except InputError as error:
                    yield f"{field.name}: {error.message}"

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

    def find_loss(self, before: dict[str, Any], deadline: Deadline) -> str | None:
        """Return what would be lost with it, as the end of a sentence, or None when that is nothing."""
        return None

    def refuse_change(self, before: dict[str, Any], after: dict[str, Any]) -> str | None:
        """Return why it cannot be changed like that, as a sentence, or None."""
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
                writes=self.create(asked) if not missing and not self.blocker else (),
                refusal=f"{' and '.join(missing)} must be given to create {self.label}." if missing else None,
                blocker=self.blocker,
                pending=("it is not there yet",),
                is_first_step=self.is_completed_by_update,
            )
        before = self._normalize(stored)
        given = [field for field in self.fields if field.name in asked]
        after = {**before, **{field.name: field.combine(before.get(field.name), asked[field.name]) for field in given}}
        changed = {name: value for name, value in after.items() if before.get(name) != value}
        fixed = [field.name for field in given if field.is_immutable and field.name in changed]
        refusal = f"{' and '.join(fixed)} of {self.label} cannot be changed." if fixed else None
        refusal = refusal or (self.refuse_change(before, after) if changed else None)
        return Plan(
            action="updated" if changed else "none",
            before=before,
            after=after,
            diff={"before": before, "after": after},
            writes=self.update(before, changed) if changed and not refusal else (),
            refusal=refusal,
            pending=tuple(changed),
            unready=self.find_unready(stored),
        )

    def _plan_absent(self, stored: dict[str, Any] | None) -> Plan:
        if stored is None:
            return Plan("none", None, None, {"before": {}, "after": {}})
        before = self._normalize(stored)
        return Plan(
            action="deleted",
            before=before,
            after=None,
            diff={"before": before, "after": {}},
            writes=self.delete(stored),
            pending=("it is still there",),
        )

    def _read_asked(self) -> dict[str, Any]:
        given = {field.name: self.params[field.name] for field in self.fields}
        return self._normalize({**self.key, **{name: value for name, value in given.items() if value is not None}})

    def _normalize(self, values: Mapping[str, Any]) -> dict[str, Any]:
        normalizers = {field.name: field.normalize for field in self.fields}
        return {name: normalizers.get(name, lambda value: value)(value) for name, value in values.items()}

    def check_write(self, plan: Plan, deadline: Deadline) -> None:
        """Refuse to remove what holds data, unless that is asked for."""
        if plan.action == "deleted" and plan.before is not None and not self.params.get("force"):
            loss = self.find_loss(plan.before, deadline)
            if loss:
                raise InputError(f"{self.label} is not removed, because {loss}. Set force to true to lose that.")

    def accept(self, call: Call, document: Any) -> None:
        """Take no note of what the service answers to a write."""

    def complete(self, plan: Plan, deadline: Deadline) -> Mapping[str, Any]:
        """Return nothing besides what the plan says."""
        return {}
