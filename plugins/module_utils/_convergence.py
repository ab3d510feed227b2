# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bringing a resource into the asked state: read, plan, write, wait.

Check mode, conflicts, lost answers, diffs and deadlines are here once for every resource. What a resource is, and what
there is to do about it, it says itself (see ``_resource``).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from ansible_collections.datastax.astra.plugins.module_utils._api import Api, Call
from ansible_collections.datastax.astra.plugins.module_utils._deadline import UNBOUNDED, Deadline
from ansible_collections.datastax.astra.plugins.module_utils._errors import (
    AlreadyExists,
    AnswerLost,
    AstraError,
    Broken,
    Busy,
    InputError,
    NotFound,
    WaitTimeout,
)
from ansible_collections.datastax.astra.plugins.module_utils._http import Attempts

FIRST_INTERVAL = 0.25  # seconds between two looks at the service
LONGEST_INTERVAL = 5  # seconds
PATIENCE = 3  # looks, until it is believed that something does not work or was not made: it may just not be shown yet


class Plan(NamedTuple):
    """What there is to do for one resource, and all that a result says about it.

    :ivar action: ``created``, ``updated``, ``deleted`` or ``none``.
    :ivar before: what exists, named as the options; None when nothing does.
    :ivar after: what exists afterwards.
    :ivar diff: ``before`` and ``after`` as a diff shows them, secrets masked.
    :ivar writes: the requests that bring it about, in their order.
    :ivar refusal: why the writes cannot be made, or None.
    :ivar missing: the secret option without which the writes cannot be made, or None. Check mode only warns of it, so
        that drift can be found without knowing the secret.
    :ivar blocker: what has to exist before the writes can be made and does not, as a sentence, or None. Check mode only
        warns of it, because the same play may be going to make it.
    :ivar pending: the names of what the service does not show as asked. It can be empty where something has to be
        written all the same: a secret is never shown.
    :ivar unready: what an earlier change has still to bring about before it can be used.
    :ivar is_first_step: whether more has to be planned once the service shows what the writes made.
    :ivar values: further return values.
    :ivar warnings: sentences about what could not be seen.
    """

    action: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    diff: dict[str, Any]
    writes: tuple[Call, ...] = ()
    refusal: str | None = None
    missing: str | None = None
    blocker: str | None = None
    pending: tuple[str, ...] = ()
    unready: tuple[str, ...] = ()
    is_first_step: bool = False
    values: Mapping[str, Any] = {}
    warnings: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether there is something to do."""
        return self.action != "none"


class Resource:
    """What is converged.

    :arg api: the DevOps API.
    :ivar warnings: sentences about what could not be told.
    """

    kind: ClassVar[str]  # the key of the result that shows it

    def __init__(self, api: Api) -> None:
        self.devops = api
        self.warnings: list[str] = []

    @property
    def api(self) -> Api:
        """The API that takes the writes."""
        return self.devops

    @property
    def label(self) -> str:
        """What messages call it."""
        raise NotImplementedError

    @property
    def identity(self) -> Mapping[str, Any]:
        """Return values that say which one it is, as far as that is known."""
        return {}

    def read(self, deadline: Deadline) -> Any:
        """Return what the service shows, or None where nothing exists.

        :raises Busy: an earlier change is still being applied.
        """
        raise NotImplementedError

    def plan(self, stored: Any) -> Plan:
        """Compare what is asked with what the service shows."""
        raise NotImplementedError

    def inspect(self, plan: Plan, deadline: Deadline) -> tuple[str, ...]:
        """Return what it still lacks before it works, although the service shows it as asked.

        :raises Broken: it does not work, and says why.
        """
        return ()

    def check_write(self, plan: Plan, deadline: Deadline) -> None:
        """Raise an AstraError where the writes must not be made. It changes nothing, so check mode calls it too."""

    def accept(self, call: Call, document: Any) -> None:
        """Take note of what the service answered to one of the writes."""

    def complete(self, plan: Plan, deadline: Deadline) -> Mapping[str, Any]:
        """Return the values that the result of a real run has besides the plan's."""
        return {}


class Settings(NamedTuple):
    """How to converge, not what.

    :ivar wait: whether to wait until the service shows the change.
    :ivar wait_timeout: seconds for an earlier change to be finished and for the service to show ours, together.
    :ivar names_blocker: whether check mode warns of what has to exist before. The one who is going to make that knows.
    """

    wait: bool = True
    wait_timeout: float = 60
    names_blocker: bool = True


def converge(resource: Resource, settings: Settings, check_mode: bool = False) -> dict[str, Any]:
    """Bring a resource into the asked state.

    :arg check_mode: leave the writes out; everything else is the same.
    :returns: the result: ``changed``, ``action``, the resource under its kind's name, ``previous``, ``diff``,
        ``warnings``, and what the plan and the resource add.
    :raises AstraError: it failed; ``result["changed"]`` tells whether something was changed, or may have been.
    """
    run = _Run(resource, settings)
    try:
        plan, shown = run.execute(check_mode)
        values = {} if check_mode else resource.complete(plan, run.deadline)
    except AstraError as error:
        error.result.update(resource.identity, changed=run.maybe_changed)
        raise
    warnings = [*resource.warnings, *plan.warnings, *run.warnings]
    if plan.missing:
        warnings.append(f"{plan.missing} was not given, and without it a real run would refuse to write.")
    if plan.blocker and settings.names_blocker:
        warnings.append(plan.blocker)
    return {
        "changed": plan.changed,
        "action": plan.action,
        **resource.identity,
        resource.kind: shown,
        "previous": plan.before,
        "diff": plan.diff,
        "warnings": warnings,
        **plan.values,
        **values,
    }


class _Run:
    """One resource's way to the asked state."""

    def __init__(self, resource: Resource, settings: Settings) -> None:
        self._resource = resource
        self._settings = settings
        self._interval = FIRST_INTERVAL
        self.deadline = UNBOUNDED  # until something has to be waited for
        self.maybe_changed = False
        self.warnings: list[str] = []

    def execute(self, check_mode: bool) -> tuple[Plan, dict[str, Any] | None]:
        """Read, plan, write, wait. Return the plan that was followed, and what exists afterwards."""
        plan = self._make_plan()
        while plan.unready and not plan.changed and self._settings.wait and not check_mode:
            self._wait_for(plan.unready, f"{self._resource.label} is not ready")
            plan = self._make_plan()
        if not plan.changed:
            lacking = self._resource.inspect(plan, self.deadline)
            self.warnings += [f"{self._resource.label} is as asked, but {lack}." for lack in lacking]
            return plan, plan.after
        self._check(plan, check_mode)
        if check_mode:
            return plan, plan.after
        plan = self._apply(plan)
        if plan.changed and self._settings.wait:
            return plan, self._await_shown()
        return plan, plan.after

    def _check(self, plan: Plan, check_mode: bool = False) -> None:
        if plan.refusal:
            raise InputError(plan.refusal)
        if plan.blocker and not check_mode:
            raise InputError(plan.blocker)
        if plan.missing and not check_mode:
            raise InputError(
                f"{plan.missing} is needed, because {self._resource.label} has to be written ({plan.action}); "
                "nothing was sent."
            )
        self._resource.check_write(plan, self.deadline)

    def _make_plan(self) -> Plan:
        while True:
            try:
                return self._resource.plan(self._resource.read(self.deadline))
            except Busy:
                if not self._wait():
                    raise

    def _apply(self, plan: Plan) -> Plan:
        """Have the plan accepted; return it, or the one that replaces it when somebody else was faster."""
        attempts = self._resource.api.make_attempts()
        reported = plan
        clashed = False
        while True:
            failure: AstraError | None = None
            try:
                for call in plan.writes:
                    self._send(call, attempts)
                if not plan.is_first_step:
                    return reported
            except Busy as error:
                if not self._wait():
                    raise
                failure = error
            except (AnswerLost, AlreadyExists) as error:
                failure = error
            except NotFound as error:
                # Somebody else may have deleted it, which GET shows as late as it shows our own changes.
                if plan.action != "deleted":
                    raise
                failure = error
            # A gateway may have lost sight of a change that is still on its way, so the look comes after the pause.
            may_repeat = not isinstance(failure, AnswerLost) or attempts.pause(self.deadline)
            again = self._look_again(plan) if isinstance(failure, AnswerLost) else self._make_plan()
            while failure is None and again.is_first_step:
                self._wait_for(again.pending)
                again = self._make_plan()
            reported = reported if self.maybe_changed else again
            if not again.changed:
                return reported
            if failure and not may_repeat:
                raise failure
            if isinstance(failure, NotFound) and not self._wait():
                raise failure
            if isinstance(failure, AlreadyExists) and clashed:
                raise failure
            clashed = isinstance(failure, AlreadyExists)
            self._check(again)
            plan = again

    def _look_again(self, lost: Plan) -> Plan:
        """Plan again after the answer to a write was lost; what must not be made twice is looked for several times."""
        again = self._make_plan()
        if all(call.replay for call in lost.writes):
            return again
        for _look in range(PATIENCE - 1):
            if not again.changed or not self._wait():
                return again
            again = self._make_plan()
        if again.changed:
            self.warnings.append(
                f"{lost.writes[0].purpose}: the answer was lost. What it would have made is not listed, so the request "
                "is sent again. Should two be listed later, remove the older one, which nobody has."
            )
        return again

    def _send(self, call: Call, attempts: Attempts) -> None:
        try:
            document = self._resource.api.write(call, self.deadline, attempts)
        except AstraError as error:
            self.maybe_changed = self.maybe_changed or error.maybe_applied
            raise
        self.maybe_changed = True
        self._resource.accept(call, document)

    def _await_shown(self) -> dict[str, Any] | None:
        """Look until the service shows what is asked, and it works; return what the service shows."""
        self._interval = FIRST_INTERVAL
        self._start_deadline()
        complaints = 0
        while True:
            broken: Broken | None = None
            try:
                plan = self._make_plan()
                lacking = (*plan.pending, *plan.unready) or self._resource.inspect(plan, self.deadline)
                if not lacking:
                    return plan.before
            except Broken as error:
                broken = error
                complaints += 1
            except AstraError as error:
                error.message = f"The service accepted the change, but then: {error.message}"
                raise
            if broken is None:
                self._wait_for(lacking)
            elif complaints == PATIENCE or not self._wait():
                broken.message = f"The service accepted the change, but then: {broken.message}"
                raise broken

    def _wait_for(self, lacking: tuple[str, ...], problem: str | None = None) -> None:
        """Wait for what is still missing, or raise a WaitTimeout when the time for that is over."""
        if not self._wait():
            seconds = self._settings.wait_timeout
            problem = problem or (
                f"The service accepted the change of {self._resource.label}, but after {seconds} seconds GET does not "
                "show it"
            )
            raise WaitTimeout(f"{problem} ({', '.join(lacking)}): run again later, or raise wait_timeout.")

    def _start_deadline(self) -> None:
        if self.deadline is UNBOUNDED:
            self.deadline = Deadline(self._settings.wait_timeout)

    def _wait(self) -> bool:
        """Wait for what takes time, longer each time; return False when the time for waiting is over."""
        self._start_deadline()
        seconds = self.deadline.bound(self._interval)
        if seconds <= 0:
            return False
        time.sleep(seconds)
        self._interval = min(self._interval * 1.6, LONGEST_INTERVAL)
        return True
