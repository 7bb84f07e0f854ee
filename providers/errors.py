"""What goes wrong at a provider, in one tree. No text holds a secret: what a provider said is shown redacted."""

import math

from deploynix.errors import Error

# Seconds: a provider that names a longer pause is asked again all the same.
LONGEST_PAUSE = 86_400


class ProviderError(Error):
    """The provider did not do what was asked."""

    status = 502
    code = "provider_error"


class InvalidCredential(ProviderError):
    """The provider knows no such credential, or no longer."""

    status = 422
    code = "invalid_credential"


class MissingPermission(ProviderError):
    """The credential is good, but lacks the `permission`, by its key in the provider's declaration."""

    status = 422
    code = "missing_permission"

    def __init__(self, permission: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.permission = permission


class NotFound(ProviderError):
    """What was asked for is not there, or not there for this credential."""

    status = 404
    code = "provider_not_found"


class Conflict(ProviderError):
    """The provider refuses because of what is there already."""

    status = 409
    code = "provider_conflict"


class SoldOut(ProviderError):
    """The provider has none left of this size in this region."""

    status = 422
    code = "provider_sold_out"


class RateLimited(ProviderError):
    """Too many calls; `retry_after` is in whole seconds, as an answer of ours says it too."""

    status = 503
    code = "provider_rate_limited"

    def __init__(self, label: str, retry_after: float) -> None:
        self.retry_after = math.ceil(min(max(retry_after, 1.0), LONGEST_PAUSE))
        super().__init__(f"{label} asks us to slow down.", f"Try again in {self.retry_after} seconds.", retryable=True)


class Unavailable(ProviderError):
    """The provider did not answer, or failed itself."""

    status = 503
    code = "provider_unavailable"

    def __init__(self, message: str, hint: str = "Try again in a few minutes.") -> None:
        super().__init__(message, hint, retryable=True)
