"""Rotation on schedule. Nobody asked for the new secret, so a link to it is mailed, which shows it once."""

import hashlib
import logging
import secrets
from datetime import timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from audit.log import record
from deploynix.actor import Actor, system_actor
from deploynix.errors import Error
from tokens.actions.rotation import require_secret_within_reach, rotate_api_key
from tokens.models import ApiKey, Handover, TokenQuerySet

logger = logging.getLogger(__name__)
# How long after a rotation, or a mail, that failed it is tried again.
ROTATION_RETRY = timedelta(hours=1)
MAIL_RETRY = timedelta(minutes=5)
# Until the secret is collected, a mail is sent this often.
REMINDER = timedelta(days=1)
_AGAIN = "If nobody has the new secret, rotate the key again under Settings > API Keys."


class NoHandover(Error):
    """The link opens nothing, or nothing any more."""

    status = 404
    code = "not_found"


def rotate_due_keys() -> None:
    """Rotates the keys whose time has come. One that cannot be rotated does not keep the others."""
    for key in _due_keys():
        try:
            _rotate_due_key(key.pk)
        except Exception:
            logger.exception("key %s could not be rotated; tried again in an hour", key.key_id)
            ApiKey.objects.filter(pk=key.pk).update(rotates_at=timezone.now() + ROTATION_RETRY)


def mail_handovers() -> None:
    """Mails the links that are due: new ones, those whose mail failed, and once a day those that nobody used.

    Forgets secrets that nobody collected in time.
    """
    over = Handover.objects.filter(expires_at__lte=timezone.now(), mails_at__isnull=False)
    over.update(text="", mails_at=None)
    due = Handover.objects.filter(mails_at__lte=timezone.now(), token__revoked_at=None)
    for handover in due.select_related("token__organization", "token__user", "token__predecessor"):
        _mail(handover)


def find_handover(secret: str) -> Handover:
    """What the link's secret opens. Raises NoHandover where it was used or its time is over."""
    rows = Handover.objects.select_related("token__organization", "token__predecessor")
    handover = rows.filter(digest=_digest(secret)).first()
    if handover is None:
        raise NoHandover("This link is not valid.", "A mail that was sent later holds another one, which is.")
    _require_open(handover)
    return handover


@transaction.atomic
def collect_secret(actor: Actor, *, handover: Handover) -> str:
    """The text of the new key; nobody gets it again. Needs token:update and all that the key opens.

    Raises Denied, and NoHandover where it was collected meanwhile.
    """
    actor.require("token:update")
    handover = Handover.objects.select_for_update(of=("self",)).select_related("token").get(pk=handover.pk)
    _require_open(handover)
    key = handover.token
    require_secret_within_reach(actor, key)
    Handover.objects.filter(pk=handover.pk).update(text="", opened_at=timezone.now(), mails_at=None)
    record(actor, "token.handed-over", key)
    return str(handover.text)


def _due_keys() -> TokenQuerySet:
    return ApiKey.objects.active().filter(rotates_at__lte=timezone.now(), successor=None)


@transaction.atomic
def _rotate_due_key(pk: str) -> None:
    # Another worker may just have done it.
    key = _due_keys().select_for_update(of=("self",)).select_related("organization").filter(pk=pk).first()
    if not isinstance(key, ApiKey):
        return
    new, text = rotate_api_key(system_actor(key.organization), key=key)
    key.refresh_from_db()
    assert key.expires_at  # noqa: S101 -- a rotated key has an end
    Handover.objects.create(token=new, digest=_digest(_new_secret()), text=text, expires_at=key.expires_at)


def _mail(handover: Handover) -> None:
    """Each mail holds a link of its own; those in earlier mails open nothing any more.

    The row is claimed for MAIL_RETRY, so that no other worker sends the same, and a lost one is made up for.
    """
    secret, now = _new_secret(), timezone.now()
    row = Handover.objects.filter(pk=handover.pk)
    if not row.filter(mails_at=handover.mails_at).update(digest=_digest(secret), mails_at=now + MAIL_RETRY):
        return
    key = handover.token
    link = settings.BASE_URL + reverse("api_key_handover", args=[secret])
    text = render_to_string("tokens/mail/handover.txt", {"key": key, "link": link, "handover": handover})
    subject = f"{settings.ACCOUNT_EMAIL_SUBJECT_PREFIX}Collect the new secret of {' '.join(key.name.split())}"
    try:
        send_mail(subject, text, None, [key.notification_email or key.user.email])
    except (OSError, SMTPException):
        logger.warning("the new secret of key %s could not be mailed; tried again soon", key.key_id, exc_info=True)
        return
    row.filter(opened_at=None).update(mails_at=now + REMINDER)


def _require_open(handover: Handover) -> None:
    if handover.opened_at:
        raise NoHandover(
            f"This link was used on {handover.opened_at:%Y-%m-%d at %H:%M} UTC.",
            f"It shows the new secret once; the audit log says who has it. {_AGAIN}",
        )
    if handover.expires_at <= timezone.now():
        raise NoHandover("This link has expired.", f"The old secret has ended with it. {_AGAIN}")
    if handover.token.revoked_at:
        raise NoHandover("The key was revoked.", "Make a new one under Settings > API Keys.")


def _new_secret() -> str:
    return secrets.token_urlsafe(32)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
