# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What credentials have in common: how one is found, how long it has to last, and that it is made once.

Astra chooses a credential's id and shows its secret in the answer to the request that makes it. Sent again after a lost
answer, that request would make a second one, so the list decides first what became of it (see ``_convergence``).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from ansible_collections.datastax.astra.plugins.module_utils._api import Call
from ansible_collections.datastax.astra.plugins.module_utils._convergence import Plan
from ansible_collections.datastax.astra.plugins.module_utils._deadline import Deadline
from ansible_collections.datastax.astra.plugins.module_utils._documents import read_keys
from ansible_collections.datastax.astra.plugins.module_utils._errors import InputError, ServiceError
from ansible_collections.datastax.astra.plugins.module_utils._pulsar import units
from ansible_collections.datastax.astra.plugins.module_utils._pulsar.jwt import rfc3339
from ansible_collections.datastax.astra.plugins.module_utils._resource import DeclaredResource, Field


class Credential(DeclaredResource):
    """A credential. The last of its identity options is its id; ``list`` leaves out what state present has no use for.

    Without the id, the one is meant that is as the first option of ``recognized_by`` says that is given and shown, and
    several are refused. Where there are no such options, any will do, and the newest is taken.

    :ivar made: what this run made, if the answer told all of it; then the service is not asked for it.
    """

    title: ClassVar[str]  # what messages call one
    recognized_by: ClassVar[tuple[str, ...]] = ()
    fields: ClassVar[tuple[Field, ...]] = (
        Field("validity", lambda text: units.format_duration(units.parse_duration(text)), is_compared=False),
    )
    made: dict[str, Any] | None = None

    @property
    def key(self) -> dict[str, Any]:
        """Nothing: Astra chooses the id."""
        return {}

    @classmethod
    def examine(cls, params: Mapping[str, Any]) -> Iterable[str]:
        """Yield a sentence for every mistake in the options that can be seen offline."""
        problems = [*super().examine(params)]
        names = [cls.identity_options[-1], *cls.recognized_by]
        if not any(params[name] for name in names):
            if cls.recognized_by and params["state"]:
                problems.append(f"{', '.join(names[:-1])} or {names[-1]} must be given, to say which token it is.")
            elif params["state"] == "absent":
                problems.append(f"{names[0]} is needed to remove a token.")
        if "min_validity" not in cls.spec:
            return problems
        try:
            least = units.parse_duration(params["min_validity"] or units.UNLIMITED)
            validity = units.NO_LIMIT if problems else units.parse_duration(params["validity"] or units.UNLIMITED)
            if validity != units.NO_LIMIT and not 0 <= least < validity:
                problems.append("min_validity must be shorter than validity, or every run would make a token.")
        except InputError as error:
            problems.append(f"min_validity {error.message}")
        return problems

    def find_end(self) -> str | None:
        """Return when one ends that is made now, or None."""
        seconds = units.parse_duration(self.params["validity"] or units.UNLIMITED)
        return None if seconds == units.NO_LIMIT else rfc3339(time.time() + seconds)

    def reveal(self, credential: dict[str, Any], deadline: Deadline) -> dict[str, Any] | None:
        """Look closer at the one that shall be there; return it, or None when it turns out to be of no use."""
        return credential

    def take(self, document: Any, secret: str) -> None:
        """Take note of what was made and of its secret.

        :raises ServiceError: the service answered something else.
        """
        raise NotImplementedError

    def read(self, deadline: Deadline) -> dict[str, Any] | None:
        """Return the one that is meant, or None."""
        chosen = self._choose([self.made] if self.made else self.list(deadline))
        if self.params["state"] == "present":
            chosen = filter(None, (self.reveal(each, deadline) for each in chosen))
        return next(chosen, None)

    def _choose(self, credentials: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Yield the one with the id, then what may be meant instead, the best first."""
        option, state = self.identity_options[-1], self.params["state"]
        yield from (each for each in credentials if each[option] == self.params[option])
        if state == "present" or (state == "absent" and not self.params[option]):
            others = [each for each in credentials if each[option] != self.params[option]]
            if self.recognized_by:
                yield from self._recognize(others)
            else:
                yield from sorted(others, key=lambda each: str(each["issued_at"]), reverse=True)

    def _recognize(self, credentials: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
        option, is_absent = self.identity_options[-1], self.params["state"] == "absent"
        given = [name for name in self.recognized_by if self.params[name]]
        shown = [name for name in given if any(each[name] is not None for each in credentials)]
        if is_absent and credentials and not shown:
            raise InputError(f"The service shows no {given[0]}s of {self.title}s: give {option}.")
        fitting = [each for each in credentials for name in shown[:1] if each[name] == self.params[name]]
        ids = [each[option] for each in fitting]
        if len(ids) > 1:
            raise InputError(f"{len(ids)} {self.title}s fit ({', '.join(ids)}): give the {option} of the one you mean.")
        if is_absent and str(self.params["application_token"]).split(":")[1] in ids:
            raise InputError(
                f"What fits is the {self.title} that this run uses: give its {option} to remove it all the same."
            )
        return fitting

    def create(self, asked: dict[str, Any]) -> tuple[Call, ...]:
        """Return the request that makes one. It is never repeated blindly."""
        return (self.write("Making", "POST", asked)._replace(replay=False),)

    def delete(self, before: dict[str, Any]) -> tuple[Call, ...]:
        """Return the request that revokes it."""
        return (self.ask("Removing", "DELETE", before[self.identity_options[-1]]),)

    def accept(self, call: Call, document: Any) -> None:
        """Take note of what was made. Where the answer does not tell it, the list does."""
        super().accept(call, document)
        [secret] = read_keys(document, "token")
        with contextlib.suppress(ServiceError):
            if secret:
                self.take(document, secret)

    def complete(self, plan: Plan, deadline: Deadline) -> Mapping[str, Any]:
        """Return the further return values.

        :raises ServiceError: it was made, but the one answer that has its secret was lost.
        """
        if plan.action == "created" and not self._knows_secrets():
            made, option = self.read(deadline), self.identity_options[-1]
            if not self._knows_secrets():
                name = f"{option} {made[option]}" if made else "the service does not list it yet"
                raise ServiceError(
                    f"{self.label} was made, but the only answer that shows its secret was lost: remove it ({name}) "
                    "and run again."
                )
        return self.values

    def _knows_secrets(self) -> bool:
        return all(self.values[name] for name in self.secret_values)
