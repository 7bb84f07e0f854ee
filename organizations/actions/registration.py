"""Who may sign up, and what stands there afterwards."""

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.actions import registration_is_open, sign_up
from accounts.models import User
from audit.log import record
from deploynix.errors import Error, Invalid
from organizations.actions.invitations import accept_invitation, open_invitation
from organizations.actions.organizations import create_organization
from organizations.models import Membership


class RegistrationClosed(Error):
    """Nobody signs up here without an invitation."""

    status = 403
    code = "registration_closed"

    def __init__(self) -> None:
        super().__init__("Registration is closed.", "Ask an owner or admin to invite you by e-mail.")


@transaction.atomic
def register(*, name: str, email: str, password: str, organization: str, ip: str | None = None) -> Membership:
    """Makes a person, and the organization that they own.

    Raises RegistrationClosed, or Invalid naming name, email, password or organization.
    """
    # A row that every install has: of two first visitors the second one waits here, and then finds a user.
    ContentType.objects.select_for_update().get(app_label="accounts", model="user")
    if not registration_is_open():
        raise RegistrationClosed
    user = sign_up(name=name, email=email, password=password)
    try:
        membership = create_organization(user, name=organization, ip=ip)
    except ValidationError as error:
        raise Invalid({"organization": error.message_dict["name"]}) from error
    return _recorded(user, membership, ip)


@transaction.atomic
def register_invited(*, secret: str, name: str, password: str, ip: str | None = None) -> Membership:
    """Makes a person with the invited address, in the organization that invited them.

    `secret` is that of the invitation's link. Raises NoInvitation, or Invalid naming name, email or password.
    """
    user = sign_up(name=name, email=open_invitation(secret).email, password=password)
    return _recorded(user, accept_invitation(user, secret=secret, ip=ip), ip)


def _recorded(user: User, membership: Membership, ip: str | None) -> Membership:
    record(membership.as_actor(ip), "user.signed-up", user)
    return membership
