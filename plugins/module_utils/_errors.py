# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The exceptions of the collection.

Every layer raises these; ``_command.perform`` turns them into a failed result in one place. A message is one
sentence that a person can act on and never holds a secret.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class AstraError(Exception):
    """Something failed.

    :arg message: what went wrong and what to do.
    :arg maybe_applied: whether the request that failed may have changed something all the same.
    :arg result: keys that the failed result carries besides the message, for example ``http_status``.
    """

    def __init__(self, message: str, maybe_applied: bool = False, **result: Any) -> None:
        super().__init__(message)
        self.message = message
        self.maybe_applied = maybe_applied
        self.result = result


class InputError(AstraError):
    """The given options or file cannot be used; nothing was sent.

    :arg problems: one sentence, or several with a sentence for each problem.
    """

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__(" ".join(self.problems))


class ServiceError(AstraError):
    """The service answered with an error, or with something that the contract does not allow."""


class NotFound(ServiceError):
    """The service answered 404 to a request that changes something."""


class Busy(ServiceError):
    """The service answered 409 because an earlier change is still being applied: it clears with time."""


class AlreadyExists(ServiceError):
    """The service answered 409 because what should be made is there: somebody else may have made it."""


class Broken(AstraError):
    """What was made exists as it was asked, but it does not work and says why."""


class ConnectionFailed(AstraError):
    """No answer came, and the request certainly changed nothing."""


class AnswerLost(AstraError):
    """The answer to a request that changes something was lost: whether it took effect is not known."""

    def __init__(self, message: str, maybe_applied: bool = True, **result: Any) -> None:
        super().__init__(message, maybe_applied, **result)


class WaitTimeout(AstraError):
    """The service accepted a change but did not show it within the time that was allowed."""
