"""What the views of providers share."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet

from deploynix.api.views import View
from deploynix.errors import Invalid
from providers import actions
from providers.models import Credential

# What can go wrong at a provider, besides what follows from the operation.
FAILURES = {
    404: "The provider has nothing of this name",
    409: "The provider refuses because of what is there already",
    502: "The provider did not do what was asked",
    503: "The provider cannot be reached, or asks to slow down",
}
CHECKED = "The credential is being checked."


class CredentialView(View):
    tag = "Providers"

    @property
    def credentials(self) -> QuerySet[Credential]:
        return Credential.objects.visible_to(self.actor)

    def chosen(self, pk: str, **place: Any) -> Credential:
        """The credential of this id, or the oldest, among those of a kind or provider. Raises Invalid."""
        rows = self.credentials.filter(**place)
        credential = rows.filter(pk=pk).first() if pk else rows.order_by("pk").first()
        if credential is None:
            missing = "The selected credential is invalid." if pk else "No such provider is connected yet."
            raise Invalid({"credential": [missing]})
        return credential

    def check_of(self, credential: Credential) -> dict[str, str | None] | None:
        """The job that verifies it, if one is under way."""
        return self.job_address(actions.open_check(credential))


def as_action(values: Mapping[str, Any]) -> dict[str, Any]:
    """What actions call `text` is the `credential` of the API."""
    given = dict(values)
    return given | {"text": given.pop("credential")} if "credential" in given else given
