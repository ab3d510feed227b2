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
from urllib.parse import quote

from ansible_collections.datastax.astra.plugins.module_utils._api import ORGANIZATION_ADMINISTRATOR, Api, Call
from ansible_collections.datastax.astra.plugins.module_utils._convergence import Plan, Resource
from ansible_collections.datastax.astra.plugins.module_utils._deadline import Deadline
from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError
from ansible_collections.datastax.astra.plugins.module_utils._masked import Comparison, compare, write_as_strings
from ansible_collections.datastax.astra.plugins.module_utils._secrets import hide_secrets

ArgumentSpec = Mapping[str, Mapping[str, Any]]

_DONE = (200, 201, 202, 204)  # the descriptions and the clients disagree on which of them a change answers

# The option that says when secrets are sent again that the service masks.
UPDATE_SECRETS: Mapping[str, Any] = {
    "type": "str",
    "choices": ["on_change", "always", "on_create"],
    "default": "on_change",
    "no_log": False,
}


class Field(NamedTuple):
    """An option that says how a resource shall be, and that the service shows.

    :ivar name: of the option, and of what ``read`` returns.
    :ivar normalize: brings either side into the form in which they are compared and shown.
    :ivar is_immutable: whether it can be given when the resource is made, and never again.
    :ivar is_compared: False for what only matters while the resource is made.
    :ivar holds_secrets: whether it is free-form data with secrets in it, which the service masks; the option
        ``update_secrets`` says when those are sent again.
    :ivar combine: makes what shall be of what is and what is asked, for an option that leaves a part as it is.
    :ivar complete: makes the whole of what may be given in part, from all options.
    """

    name: str
    normalize: Callable[[Any], Any] = lambda value: value
    is_immutable: bool = False
    is_compared: bool = True
    holds_secrets: bool = False
    combine: Callable[[Any, Any], Any] = lambda before, asked: asked
    complete: Callable[[Any, Mapping[str, Any]], Any] = lambda value, params: value


def check_count(number: int) -> int:
    """Return a number that is not negative, as the ``normalize`` of a field.

    :raises InputError: it is.
    """
    if number < 0:
        raise InputError("must not be negative.")
    return number


class DeclaredResource(Resource):
    """A resource that declares itself.

    :arg params: the module's validated options.
    :arg api: the DevOps API.
    :arg stack: closes what the resource opens besides.
    :ivar values: further return values, as far as they are known.
    :ivar to_send: what to write of each field that holds secrets, with the secrets.
    :ivar blocker: what has to exist before it, and does not: a sentence that ``read`` and ``list`` leave, or None.
    :ivar has_written: whether the service has accepted a change of it.
    """

    spec: ClassVar[ArgumentSpec]  # its own options
    identity_options: ClassVar[tuple[str, ...]] = ("name",)  # those that say which one it is
    fields: ClassVar[tuple[Field, ...]] = ()
    needed_to_create: ClassVar[tuple[str, ...]] = ()
    is_completed_by_update: ClassVar[bool] = False  # whether a new one has values that are known only once it exists
    shared_options: ClassVar[str | None] = None  # further ones, which say where it is: cluster, tenant, namespace
    list_key: ClassVar[str | None] = None  # the key under which its info module lists all, if it can
    secret_values: ClassVar[tuple[str, ...]] = ()  # the return values that are secret
    place: ClassVar[tuple[str, ...]] = ()  # the parts of its path, or of that of all; "{name}" is an option's value
    permissions: ClassVar[Mapping[str, str]] = {}  # what the application token must allow, by the call's method

    def __init__(self, params: Mapping[str, Any], api: Api, stack: contextlib.ExitStack) -> None:
        super().__init__(api)
        self.params = params
        self.stack = stack
        self.values: dict[str, Any] = dict.fromkeys(self.secret_values)
        self.to_send: dict[str, Any] = {}
        self.blocker: str | None = None
        self.has_written = False

    @property
    def key(self) -> dict[str, Any]:
        """What says which one it is, as ``read`` shows it."""
        return {name: self.params[name] for name in self.identity_options if self.params[name] is not None}

    @property
    def label(self) -> str:
        """What messages call it."""
        return f"{self.kind} {'/'.join(str(self.params[name]) for name in self.identity_options if self.params[name])}"

    @classmethod
    def examine(cls, params: Mapping[str, Any]) -> Iterable[str]:
        """Yield a sentence for every mistake in the options that can be seen offline. It never repeats a secret."""
        for field in cls.fields:
            if params.get(field.name) is not None:
                try:
                    field.normalize(field.complete(params[field.name], params))
                except InputError as error:
                    yield f"{field.name} {error.message}"

    def call(self, purpose: str, method: str, *path: str, **more: Any) -> Call:
        """Return a call of the service, with more of its fields. A slash within a part of the path is no separator."""
        more["advice"] = {403: f"{ORGANIZATION_ADMINISTRATOR} {self.permissions[method]}", **more.get("advice", {})}
        joined = "/".join(("", *(quote(part, safe="") for part in path)))
        return Call(purpose, method, joined, (200,) if method == "GET" else _DONE, **more)

    def ask(self, verb: str, method: str, *path: str, place: Iterable[str] = (), **more: Any) -> Call:
        """Return a call about this resource.

        :arg verb: what is done, as the beginning of a sentence that goes on with the resource.
        :arg path: what follows the resource's own place, or another.
        """
        return self.call(f"{verb} {self.label}", method, *self.locate(place or self.place), *path, **more)

    def locate(self, place: Iterable[str]) -> tuple[str, ...]:
        """Return the parts of a path with the values of the options that are named in it."""
        return tuple(part.format_map(self.params) for part in place)

    def read(self, deadline: Deadline) -> dict[str, Any] | None:
        """Return what the service shows, named as the options, or None where nothing exists."""
        return next((each for each in self.list(deadline) if self.key.items() <= each.items()), None)

    def list(self, deadline: Deadline) -> list[dict[str, Any]]:
        """Return all that exist, for the info module."""
        raise NotImplementedError

    def create(self, asked: dict[str, Any]) -> tuple[Call, ...]:
        """Return the requests that make it."""
        return (self.write("Creating", "POST", asked),)

    def update(self, before: dict[str, Any], asked: dict[str, Any]) -> tuple[Call, ...]:
        """Return the requests that change it; ``asked`` has only what differs."""
        return (self.write("Changing", "PUT", {**before, **asked}),)

    def write(self, verb: str, method: str, whole: dict[str, Any]) -> Call:
        """Return the request that makes it, or replaces it as a whole. Its purpose begins with the verb."""
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
        before = self._normalize(stored or {})
        free_form = {
            field.name: compare(before.get(field.name) or {}, asked.get(field.name) or {})
            for field in self.fields
            if field.holds_secrets
        }
        self.to_send = {name: comparison.merged for name, comparison in free_form.items()}
        missing = next((f"{name}.{key}" for name, each in free_form.items() for key in each.missing), None)
        if stored is None:
            return self._plan_creation(asked, free_form, missing)
        before.update({name: comparison.before for name, comparison in free_form.items()})
        given = [field for field in self.fields if field.name in asked and field.is_compared]
        after = {**before, **{field.name: field.combine(before.get(field.name), asked[field.name]) for field in given}}
        after.update({name: comparison.after for name, comparison in free_form.items()})
        is_unlike = {name: comparison.differs for name, comparison in free_form.items()}
        differing = [name for name, value in after.items() if is_unlike.get(name, before.get(name) != value)]
        repeats = self.params.get("update_secrets") == "always"
        names = {*differing, *(name for name, comparison in free_form.items() if repeats and comparison.secrets)}
        changed = {name: value for name, value in after.items() if name in names}
        fixed = [field.name for field in given if field.is_immutable and field.name in changed]
        refusal = f"{' and '.join(fixed)} of {self.label} cannot be changed." if fixed else None
        refusal = refusal or (self.refuse_change(before, after) if changed else None)
        sent = {name: comparison.diff for name, comparison in free_form.items() if changed}
        return Plan(
            action="updated" if changed else "none",
            before=before,
            after=after,
            diff={"before": before, "after": {**after, **sent}},
            writes=self.update(before, changed) if changed and not refusal else (),
            refusal=refusal,
            missing=missing if changed else None,
            pending=tuple(differing),
            unready=self.find_unready(stored),
            values=dict(self.values),
            warnings=tuple(self._find_warnings(free_form, bool(changed), bool(differing))),
        )

    def _plan_creation(self, asked: dict[str, Any], free_form: Mapping[str, Comparison], secret: str | None) -> Plan:
        missing = [name for name in self.needed_to_create if self.params[name] in (None, [], "")]
        after = {**asked, **{name: comparison.after for name, comparison in free_form.items()}}
        return Plan(
            action="created",
            before=None,
            after=after,
            diff={"before": {}, "after": after},
            writes=self.create(asked) if not missing and not self.blocker else (),
            refusal=f"{' and '.join(missing)} must be given to create {self.label}." if missing else None,
            missing=secret,
            blocker=self.blocker,
            pending=("it is not there yet",),
            is_first_step=self.is_completed_by_update,
            values=dict(self.values),
        )

    def _find_warnings(
        self, free_form: Mapping[str, Comparison], is_written: bool, is_different: bool
    ) -> Iterable[str]:
        """Say what neither this run nor the service can tell about secrets."""
        names = ", ".join(f"{name}.{key}" for name, each in free_form.items() for key in each.unseen)
        if names and is_written and not is_different:
            yield f"{names} of {self.label} was sent again. The service does not show when that takes effect."
        elif names and not is_written and self.params.get("update_secrets") == "on_change":
            yield (
                f"{names} of {self.label} could not be compared, because the service never shows what is stored: a "
                "rotated secret would not be noticed. Set update_secrets to always for one run."
            )

    def _plan_absent(self, stored: dict[str, Any] | None) -> Plan:
        if stored is None:
            return Plan("none", None, None, {"before": {}, "after": {}}, values=dict(self.values))
        before = self.hide(self._normalize(stored))
        return Plan(
            action="deleted",
            before=before,
            after=None,
            diff={"before": before, "after": {}},
            writes=self.delete(stored),
            pending=("it is still there",),
            values=dict(self.values),
        )

    def _read_asked(self) -> dict[str, Any]:
        given = [field for field in self.fields if self.params[field.name] is not None]
        asked = {field.name: field.complete(self.params[field.name], self.params) for field in given}
        return self._normalize({**self.key, **asked})

    def hide(self, shown: dict[str, Any]) -> dict[str, Any]:
        """Return what the service shows as results may hold it: without the secrets among free-form data."""
        free_form = [field.name for field in self.fields if field.holds_secrets]
        return {**shown, **{name: write_as_strings(hide_secrets(shown[name])) for name in free_form}}

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
        """Take note of what the service answers to a write."""
        self.has_written = True

    def complete(self, plan: Plan, deadline: Deadline) -> Mapping[str, Any]:
        """Return the further return values."""
        return self.values
