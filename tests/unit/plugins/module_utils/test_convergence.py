# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How anything is converged, shown on a resource that is as small as one can be."""

from __future__ import annotations

import pytest
from ansible_collections.datastax.astra.plugins.module_utils._api import Call
from ansible_collections.datastax.astra.plugins.module_utils._convergence import (
    FIRST_INTERVAL,
    LONGEST_INTERVAL,
    Plan,
    Settings,
    converge,
)
from ansible_collections.datastax.astra.plugins.module_utils._errors import (
    AlreadyExists,
    AnswerLost,
    AstraError,
    Broken,
    Busy,
    ConnectionFailed,
    InputError,
    NotFound,
    ServiceError,
    WaitTimeout,
)
from ansible_collections.datastax.astra.plugins.module_utils._http import Attempts

pytestmark = pytest.mark.usefixtures("clock")


class Service:
    """Holds one value, which is shown ``lag`` reads after it was written.

    ``on_read`` and ``on_write`` are what happens instead, one at a time: an exception is raised, a function is called
    with the service (it may raise too), None is the usual thing.
    """

    def __init__(self, value=None, lag=0, retries=5):
        self.value = value
        self.lag = lag
        self.attempts = Attempts(retries)
        self.on_read = []
        self.on_write = []
        self.log = []
        self.deadlines = []
        self._coming = []

    def read(self, deadline):
        self.log.append("read")
        self.deadlines.append(deadline)
        self._happen(self.on_read)
        if self._coming:
            self.value = self._coming.pop(0)
        return self.value

    def make_attempts(self):
        return self.attempts

    def write(self, call, deadline, attempts):
        assert attempts is self.attempts
        self.log.append(f"{call.method} {call.body}")
        self.deadlines.append(deadline)
        self._happen(self.on_write)
        self.apply(call.body)
        return {"made": call.body}

    def apply(self, value):
        self._coming = [self.value] * self.lag + [value]

    def become(self, value):
        """What somebody else does."""
        self.value = value
        self._coming = []

    def _happen(self, events):
        event = events.pop(0) if events else None
        if isinstance(event, AstraError):
            raise event
        if event:
            event(self)


class Thing:
    """Something with a value. ``is_secret`` says that reading cannot tell whether it is as asked."""

    kind = "thing"
    label = "the thing"
    identity = {"thing_id": 7}

    def __init__(self, service, wanted, is_secret=False, writes=None, **plan):
        self.api = service
        self.warnings = []
        self.wanted = wanted
        self.is_secret = is_secret
        self.writes = writes
        self.more = plan
        self.checked = []
        self.accepted = []
        self.refusal = None
        self.on_inspect = []

    def read(self, deadline):
        return self.api.read(deadline)

    def plan(self, stored):
        if stored == self.wanted and not self.is_secret:
            action = "none"
        elif self.wanted is None:
            action = "deleted"
        else:
            action = "created" if stored is None else "updated"
        method = {"created": "POST", "updated": "PUT", "deleted": "DELETE"}.get(action)
        writes = self.writes or ((Call("Writing the thing", method, "/thing", body=self.wanted),) if method else ())
        return Plan(
            action=action,
            before=self._show(stored),
            after=self._show(self.wanted),
            diff={"before": stored, "after": self.wanted},
            writes=writes if method else (),
            pending=() if stored == self.wanted else ("value",),
            **self.more,
        )

    def inspect(self, plan, deadline):
        found = self.on_inspect.pop(0) if self.on_inspect else ()
        if isinstance(found, AstraError):
            raise found  # pylint: disable=raising-bad-type
        return found

    def check_write(self, plan, deadline):
        self.checked.append(plan.action)
        if self.refusal:
            raise self.refusal

    def accept(self, call, document):
        self.accepted.append((call.body, document))

    def complete(self, plan, deadline):
        return {"completed": plan.action}

    @staticmethod
    def _show(value):
        return None if value is None else {"value": value}


def failure(thing, settings=None, check_mode=False):
    with pytest.raises(AstraError) as caught:
        converge(thing, settings or Settings(), check_mode)
    assert caught.value.result["thing_id"] == 7
    return caught.value


CASES = {
    "created": ("created", None, "a", "POST a"),
    "updated": ("updated", "b", "a", "PUT a"),
    "deleted": ("deleted", "b", None, "DELETE None"),
    "none": ("none", "a", "a", None),
    "none at all": ("none", None, None, None),
}


@pytest.mark.parametrize(("action", "before", "wanted", "write"), CASES.values(), ids=CASES)
class TestOneComputation:
    def test_a_real_run(self, action, before, wanted, write):
        service = Service(before)
        result = converge(Thing(service, wanted), Settings())
        assert result == {
            "changed": write is not None,
            "action": action,
            "thing_id": 7,
            "thing": None if wanted is None else {"value": wanted},
            "previous": None if before is None else {"value": before},
            "diff": {"before": before, "after": wanted},
            "warnings": [],
            "completed": action,
        }
        assert service.log == (["read", write, "read"] if write else ["read"])

    def test_check_mode_gives_the_same_with_reads_alone(self, action, before, wanted, write):
        service = Service(before)
        checked = converge(Thing(service, wanted), Settings(), check_mode=True)
        assert service.log == ["read"]
        assert {**checked, "completed": action} == converge(Thing(Service(before), wanted), Settings())

    def test_without_waiting_nothing_is_read_again(self, action, before, wanted, write):
        service = Service(before, lag=100)
        result = converge(Thing(service, wanted), Settings(wait=False))
        assert result["action"] == action
        assert service.log == (["read", write] if write else ["read"])
        assert result == converge(Thing(Service(before), wanted), Settings())


class TestBeforeTheFirstWrite:
    @pytest.mark.parametrize("check_mode", [True, False])
    def test_what_is_refused_is_not_written(self, check_mode):
        service = Service("b")
        error = failure(Thing(service, "a", refusal="It would lose events."), check_mode=check_mode)
        assert (error.__class__, error.message) == (InputError, "It would lose events.")
        assert error.result["changed"] is False
        assert service.log == ["read"]

    def test_a_missing_secret(self):
        service = Service()
        error = failure(Thing(service, "a", missing="the_token"))
        assert error.message == (
            "the_token is needed, because the thing has to be written (created); nothing was sent."
        )
        assert error.result["changed"] is False
        assert service.log == ["read"]

    def test_a_missing_secret_is_a_warning_in_check_mode(self):
        thing = Thing(Service(), "a", missing="the_token", warnings=("Of the plan.",))
        thing.warnings = ["Of the resource."]
        result = converge(thing, Settings(), check_mode=True)
        assert result["changed"] is True
        assert result["warnings"] == [
            "Of the resource.",
            "Of the plan.",
            "the_token was not given, and without it a real run would refuse to write.",
        ]

    @pytest.mark.parametrize("check_mode", [True, False])
    def test_the_resource_is_asked_in_check_mode_too(self, check_mode):
        service = Service()
        thing = Thing(service, "a")
        thing.refusal = ServiceError("The broker refuses the token.")
        assert failure(thing, check_mode=check_mode).message == "The broker refuses the token."
        assert (thing.checked, service.log) == (["created"], ["read"])

    def test_nobody_is_asked_when_there_is_nothing_to_write(self):
        thing = Thing(Service("a"), "a", refusal="No.", missing="the_token")
        thing.refusal = ServiceError("The broker refuses the token.")
        assert converge(thing, Settings())["changed"] is False
        assert thing.checked == []


class TestWaiting:
    def test_until_the_service_shows_it_longer_each_time(self, clock):
        service = Service(lag=9)
        assert converge(Thing(service, "a"), Settings())["thing"] == {"value": "a"}
        assert service.log == ["read", "POST a", *["read"] * 10]
        expected = [min(LONGEST_INTERVAL, FIRST_INTERVAL * 1.6**number) for number in range(9)]
        assert clock.slept == pytest.approx(expected)

    @pytest.mark.parametrize("seconds", [0, 1, 60])
    def test_ends_at_the_deadline_and_says_what_differs(self, clock, seconds):
        service = Service(lag=1000)
        error = failure(Thing(service, "a"), Settings(wait_timeout=seconds))
        assert error.__class__ is WaitTimeout
        assert error.message == (
            f"The service accepted the change of the thing, but after {seconds} seconds GET does not show it (value): "
            "run again later, or raise wait_timeout."
        )
        assert error.result["changed"] is True
        assert sum(clock.slept) == pytest.approx(seconds)

    @pytest.mark.parametrize("error", [ConnectionFailed, ServiceError, Busy])
    def test_a_read_that_fails_after_the_change(self, error):
        service = Service()
        service.on_read = [None, *[error("It fails.")] * 9]
        caught = failure(Thing(service, "a"), Settings(wait_timeout=0))
        assert (caught.__class__, caught.result["changed"]) == (error, True)
        assert caught.message == "The service accepted the change, but then: It fails."

    def test_one_deadline_goes_with_everything(self):
        service = Service(lag=3)
        service.on_write = [Busy("Busy.")]
        converge(Thing(service, "a"), Settings())
        deadlines = list(dict.fromkeys(service.deadlines))
        assert len(deadlines) == 2
        unbounded, bounded = deadlines[0], deadlines[1]
        assert unbounded.remaining() == float("inf")
        assert bounded.remaining() < 60


class TestConflicts:
    """409: an earlier change is still being applied."""

    def test_it_clears_with_time(self, clock):
        service = Service("b")
        service.on_write = [Busy("Busy."), Busy("Busy.")]
        result = converge(Thing(service, "a"), Settings())
        assert (result["action"], result["thing"]) == ("updated", {"value": "a"})
        assert service.log == ["read", "PUT a", "read", "PUT a", "read", "PUT a", "read"]
        assert len(clock.slept) == 2

    def test_somebody_else_wanted_the_same(self):
        service = Service()
        service.on_write = [busy_while("a")]
        result = converge(Thing(service, "a"), Settings())
        assert (result["changed"], result["action"]) == (False, "none")
        assert result["previous"] == result["thing"] == {"value": "a"}
        assert service.log == ["read", "POST a", "read"]

    def test_somebody_else_wanted_something_else(self):
        """Who is last wins, and nobody's plan is sent that was made before that."""
        service = Service()
        service.on_write = [busy_while("b")]
        result = converge(Thing(service, "a"), Settings())
        assert (result["action"], result["previous"]) == ("updated", {"value": "b"})
        assert service.log == ["read", "POST a", "read", "PUT a", "read"]

    def test_what_somebody_else_did_can_make_the_new_plan_impossible(self):
        service = Service()
        thing = Thing(service, "a")

        def change(service):
            thing.more = {"refusal": "It would lose events."}
            raise Busy("Busy.")

        service.on_write = [change]
        error = failure(thing)
        assert (error.message, error.result["changed"]) == ("It would lose events.", False)

    @pytest.mark.parametrize("seconds", [0, 2])
    def test_it_does_not_clear(self, clock, seconds):
        service = Service()
        service.on_write = [Busy("Busy.", http_status=409)] * 100
        error = failure(Thing(service, "a"), Settings(wait_timeout=seconds))
        assert (error.__class__, error.result["changed"], error.result["http_status"]) == (Busy, False, 409)
        assert sum(clock.slept) == pytest.approx(seconds)

    def test_reading_can_meet_one_too(self):
        service = Service()
        service.on_read = [Busy("Busy."), None, Busy("Busy.")]
        assert converge(Thing(service, "a"), Settings())["action"] == "created"
        assert service.log == ["read", "read", "POST a", "read", "read"]

    def test_check_mode_waits_too(self):
        service = Service()
        service.on_read = [Busy("Busy."), Busy("Busy.")]
        assert converge(Thing(service, "a"), Settings(), check_mode=True)["action"] == "created"

    def test_the_time_for_an_earlier_change_is_no_longer_there_for_ours(self, clock):
        service = Service(lag=1000)
        service.on_write = [Busy("Busy.")] * 5
        assert failure(Thing(service, "a"), Settings(wait_timeout=10)).__class__ is WaitTimeout
        assert sum(clock.slept) == pytest.approx(10)


def busy_while(value):
    def somebody(service):
        service.become(value)
        raise Busy("Busy.")

    return somebody


def lost(service):
    """The change does not arrive, and nobody knows."""
    raise AnswerLost("The connection broke.")


def lost_after(value):
    def arrive(service):
        service.become(value)
        raise AnswerLost("The connection broke.")

    return arrive


class TestLostAnswers:
    @pytest.mark.parametrize(("action", "before", "wanted", "write"), list(CASES.values())[:3], ids=list(CASES)[:3])
    def test_the_change_arrived(self, action, before, wanted, write):
        service = Service(before)
        service.on_write = [lost_after(wanted)]
        result = converge(Thing(service, wanted), Settings())
        assert (result["changed"], result["action"]) == (True, action)
        assert result["previous"] == (None if before is None else {"value": before})
        assert service.log == ["read", write, "read", "read"]

    def test_the_change_did_not_arrive(self):
        service = Service("b")
        service.on_write = [lost, lost]
        assert converge(Thing(service, "a"), Settings())["action"] == "updated"
        assert service.log == ["read", "PUT a", "read", "PUT a", "read", "PUT a", "read"]

    def test_where_reading_cannot_tell_it_is_sent_again(self):
        service = Service("a")
        service.on_write = [lost_after("a")]
        assert converge(Thing(service, "a", is_secret=True), Settings())["action"] == "updated"
        assert service.log == ["read", "PUT a", "read", "PUT a", "read"]

    @pytest.mark.parametrize("retries", [0, 1, 3])
    def test_as_often_as_the_request_may_be_repeated(self, retries):
        service = Service(retries=retries)
        service.on_write = [lost] * 10
        error = failure(Thing(service, "a"))
        assert (error.__class__, error.result["changed"]) == (AnswerLost, True)
        assert service.log.count("POST a") == retries + 1

    def test_after_a_409_too_long_a_pause_ends_it(self, clock):
        service = Service(retries=20)
        service.on_write = [Busy("Busy."), *[lost] * 20]
        assert failure(Thing(service, "a"), Settings(wait_timeout=3)).__class__ is AnswerLost
        assert sum(clock.slept) <= 3


class TestMadeOnce:
    """What must not arrive twice, such as what makes a credential."""

    ONCE = (Call("Making the thing", "POST", "/thing", body="a", replay=False),)

    def test_it_is_looked_for_before_it_is_sent_again(self):
        service = Service()
        service.on_write = [lost]
        result = converge(Thing(service, "a", writes=self.ONCE), Settings())
        assert service.log == ["read", "POST a", "read", "read", "read", "POST a", "read"]
        assert result["warnings"][0].startswith("Making the thing: the answer was lost.")

    @pytest.mark.parametrize("lag", [1, 2, 3])
    def test_it_may_be_shown_late(self, lag):
        service = Service(lag=lag - 1)

        def arrive(service):
            service.apply("a")
            raise AnswerLost("The connection broke.")

        service.on_write = [arrive]
        result = converge(Thing(service, "a", writes=self.ONCE), Settings())
        assert (result["action"], result["warnings"]) == ("created", [])
        assert service.log == ["read", "POST a", *["read"] * (lag + 1)]


class TestWorking:
    """What is there as asked need not work."""

    def test_what_is_still_missing_is_waited_for(self):
        service = Service()
        thing = Thing(service, "a")
        thing.on_inspect = [("it does not run",), ("it has no consumer",)]
        assert converge(thing, Settings())["action"] == "created"
        assert service.log == ["read", "POST a", "read", "read", "read"]

    def test_in_vain(self):
        thing = Thing(Service(), "a")
        thing.on_inspect = [("it does not run",)] * 99
        error = failure(thing, Settings(wait_timeout=1))
        assert (error.__class__, "(it does not run)" in error.message) == (WaitTimeout, True)

    def test_an_unchanged_one_is_not_waited_for(self):
        thing = Thing(Service("a"), "a")
        thing.on_inspect = [("it does not run",)]
        assert converge(thing, Settings())["warnings"] == ["the thing is as asked, but it does not run."]

    @pytest.mark.parametrize(("times", "works"), [(2, True), (3, False)])
    def test_a_failure_is_believed_when_it_stays(self, times, works):
        thing = Thing(Service(), "a")
        thing.on_inspect = [Broken("It failed.")] * times
        if works:
            assert converge(thing, Settings())["action"] == "created"
        else:
            error = failure(thing)
            assert (error.__class__, error.result["changed"]) == (Broken, True)
            assert error.message == "The service accepted the change, but then: It failed."

    def test_an_unchanged_one_that_does_not_work_is_a_failure(self):
        thing = Thing(Service("a"), "a")
        thing.on_inspect = [Broken("It failed.")]
        error = failure(thing)
        assert (error.message, error.result["changed"]) == ("It failed.", False)


class TestExistsAlready:
    """409 where something is made: somebody else was faster, or the answer to an earlier try was lost."""

    def test_somebody_else_made_the_same(self):
        service = Service()
        service.on_write = [exists_as("a")]
        result = converge(Thing(service, "a"), Settings())
        assert (result["changed"], result["action"]) == (False, "none")

    def test_an_earlier_try_made_it(self):
        service = Service()
        service.on_write = [exists_as("a", maybe_applied=True)]
        result = converge(Thing(service, "a"), Settings())
        assert (result["changed"], result["action"], result["previous"]) == (True, "created", None)

    def test_somebody_else_made_another(self):
        service = Service()
        service.on_write = [exists_as("b")]
        result = converge(Thing(service, "a"), Settings())
        assert (result["action"], result["previous"]) == ("updated", {"value": "b"})
        assert service.log == ["read", "POST a", "read", "PUT a", "read"]

    def test_what_exists_and_is_not_shown_is_a_failure(self):
        """Somebody else's, which this token does not see."""
        service = Service()
        service.on_write = [AlreadyExists("It exists.", http_status=409)] * 10
        error = failure(Thing(service, "a"))
        assert (error.__class__, error.result["changed"]) == (AlreadyExists, False)
        assert service.log.count("POST a") == 2


def exists_as(value, maybe_applied=False):
    def somebody(service):
        service.become(value)
        raise AlreadyExists("It exists.", maybe_applied=maybe_applied)

    return somebody


def not_found(maybe_applied=False):
    def somebody(service):
        service.apply(None)
        raise NotFound("Not found.", maybe_applied=maybe_applied)

    return somebody


class TestNotFound:
    @pytest.mark.parametrize("lag", [0, 5])
    def test_somebody_else_deleted_it(self, lag):
        service = Service("b", lag=lag)
        service.on_write = [not_found()] + [NotFound("Not found.")] * 100
        result = converge(Thing(service, None), Settings())
        assert (result["changed"], result["action"], result["thing"]) == (False, "none", None)

    def test_an_earlier_try_deleted_it(self):
        service = Service("b")
        service.on_write = [not_found(maybe_applied=True)]
        result = converge(Thing(service, None), Settings())
        assert (result["changed"], result["action"], result["previous"]) == (True, "deleted", {"value": "b"})

    def test_what_is_shown_and_cannot_be_deleted_is_a_failure_in_the_end(self, clock):
        service = Service("b")
        service.on_write = [NotFound("Not found.", http_status=404)] * 100
        error = failure(Thing(service, None), Settings(wait_timeout=3))
        assert (error.__class__, error.result["changed"]) == (NotFound, False)
        assert sum(clock.slept) == pytest.approx(3)

    @pytest.mark.parametrize("before", [None, "b"])
    def test_of_any_other_write_it_is_a_failure(self, clock, before):
        service = Service(before)
        service.on_write = [NotFound("Not found.", http_status=404)]
        error = failure(Thing(service, "a"))
        assert (error.__class__, error.result["changed"]) == (NotFound, False)
        assert len(service.log) == 2
        assert clock.slept == []


class TestFailures:
    @pytest.mark.parametrize(
        ("error", "changed"),
        [
            (ServiceError("Refused.", http_status=403), False),
            (ServiceError("Broken.", maybe_applied=True, http_status=500), True),
            (ConnectionFailed("Nobody answers."), False),
        ],
        ids=["403", "500", "no connection"],
    )
    def test_say_whether_something_may_have_been_changed(self, error, changed):
        service = Service()
        service.on_write = [error]
        caught = failure(Thing(service, "a"))
        assert caught is error
        assert caught.result["changed"] is changed
        assert service.log == ["read", "POST a"]

    @pytest.mark.parametrize("check_mode", [True, False])
    def test_reading(self, check_mode):
        service = Service()
        service.on_read = [ServiceError("Refused.", http_status=401)]
        error = failure(Thing(service, "a"), check_mode=check_mode)
        assert (error.message, error.result["changed"], error.result["http_status"]) == ("Refused.", False, 401)
        assert service.log == ["read"]

    def test_an_earlier_loss_is_not_forgotten(self):
        service = Service()
        service.on_write = [lost, ServiceError("Refused.", http_status=403)]
        assert failure(Thing(service, "a")).result["changed"] is True


class TestSeveralWrites:
    WRITES = tuple(Call("Writing the thing", "PUT", "/thing", body=body) for body in ("one", "two", "a"))

    def test_in_their_order(self):
        service = Service()
        thing = Thing(service, "a", writes=self.WRITES)
        assert converge(thing, Settings())["thing"] == {"value": "a"}
        assert service.log == ["read", "PUT one", "PUT two", "PUT a", "read"]
        assert thing.accepted == [(body, {"made": body}) for body in ("one", "two", "a")]

    def test_the_first_was_made_when_the_second_fails(self):
        service = Service()
        service.on_write = [None, ServiceError("Refused.", http_status=403)]
        assert failure(Thing(service, "a", writes=self.WRITES)).result["changed"] is True
        assert service.log == ["read", "PUT one", "PUT two"]


class TestCompletion:
    def test_values_of_the_plan_and_of_the_end(self):
        result = converge(Thing(Service(), "a", values={"expires_at": None}), Settings())
        assert (result["expires_at"], result["completed"]) == (None, "created")

    def test_a_failure_at_the_end(self):
        thing = Thing(Service(), "a")

        def fail(plan, deadline):
            raise ServiceError("No token.", http_status=500)

        thing.complete = fail
        assert failure(thing).result == {"http_status": 500, "changed": True, "thing_id": 7}
