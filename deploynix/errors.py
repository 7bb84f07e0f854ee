"""The one error tree. Each error says what happened, and where it helps, what to do; none may hold a secret."""


class Error(Exception):
    """Something a user should read: `message` says what happened, `hint` what to do about it.

    `retryable` tells a job runner that the same step may work a little later.
    """

    status = 500
    code = "error"

    def __init__(self, message: str, hint: str = "", *, retryable: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.retryable = retryable


class Unauthenticated(Error):
    """Nobody is known behind the request. `code` says why, for programs."""

    status = 401

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.code = code


class Denied(Error):
    """The actor is known, but may not do this. `ability` names what is missing."""

    status = 403
    code = "insufficient_permissions"

    def __init__(self, ability: str, message: str = "", hint: str = "") -> None:
        super().__init__(message or f"This action needs the ability {ability}.", hint)
        self.ability = ability


class Invalid(Error):
    """The input breaks a rule. `errors` maps a field name to its messages."""

    status = 422
    code = "validation_failed"

    def __init__(self, errors: dict[str, list[str]], message: str = "The given data was invalid.") -> None:
        super().__init__(message)
        self.errors = errors


class LimitReached(Invalid):
    """A cap of the organization's plan is reached. `limit` names it, for example `max_servers`."""

    code = "limit_reached"

    def __init__(self, limit: str, allowed: int, plan: str) -> None:
        message = f"The {plan} plan allows {allowed} ({limit}). Upgrade the plan, or remove one first."
        super().__init__({limit: [message]}, message)
        self.limit = limit


class Conflict(Error):
    """The object is in a state in which this cannot be done now."""

    status = 409
    code = "conflict"


class Throttled(Error):
    """Too many calls; `retry_after` is in whole seconds."""

    status = 429
    code = "rate_limited"

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Too many requests. Try again in {retry_after} seconds.")
        self.retry_after = retry_after
