"""What changes a person's account."""

from typing import cast

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.models import User
from audit.log import changed, record
from deploynix.actor import Actor
from deploynix.errors import Invalid

EMAIL_TAKEN = "The email has already been taken."


def registration_is_open() -> bool:
    """Whether somebody may sign up without an invitation: by the setting, or because nobody has yet."""
    return bool(settings.REGISTRATION_OPEN) or not User.objects.exists()


def sign_up(*, name: str, email: str, password: str) -> User:
    """Makes a person who belongs to no organization yet. Raises Invalid, naming name, email or password.

    Whether somebody may sign up at all is for `organizations.actions.register` to decide, which calls this.
    """
    user = User(name=name.strip(), email=email.strip().lower())
    errors = _errors_of(user, password)
    if errors:
        raise Invalid(errors)
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError as error:
        raise Invalid({"email": [EMAIL_TAKEN]}) from error
    return user


@transaction.atomic
def change_name(actor: Actor, *, name: str) -> None:
    """Changes the acting person's own name. Raises Invalid, naming `name`."""
    user = cast(User, actor.user)
    before, user.name = user.name, name.strip()
    if not user.name:
        raise Invalid({"name": ["The name field is required."]})
    user.full_clean(exclude={"password"}, validate_unique=False)
    user.save(update_fields=["name"])
    record(actor, "user.updated", user, changed({"name": before}, {"name": user.name}))


def _errors_of(user: User, password: str) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    try:
        user.full_clean(exclude={"password"}, validate_unique=False)
    except ValidationError as error:
        errors |= error.message_dict
    if not user.name:
        errors["name"] = ["The name field is required."]
    if User.objects.filter(email=user.email).exists():
        errors["email"] = [EMAIL_TAKEN]
    try:
        validate_password(password, user)
    except ValidationError as error:
        errors["password"] = error.messages
    return errors
