"""How allauth meets this project."""

import logging
from smtplib import SMTPException
from typing import Any, cast

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import MultiFernet
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.urls import reverse

from accounts.actions import registration_is_open
from accounts.models import User
from deploynix.client import client_ip
from deploynix.fields import EncryptedTextField

logger = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return registration_is_open()

    def get_client_ip(self, request: HttpRequest) -> str:
        address = client_ip(request)
        if address is None:
            raise PermissionDenied("The client has no address.")
        return address

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        # A password that was changed stays changed when the mail about it cannot be sent.
        try:
            super().send_mail(template_prefix, email, context)
        except (OSError, SMTPException) as error:
            logger.error("Mail %s was not sent: %s", template_prefix, error)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("settings_profile")

    def reauthenticate(self, user: User, password: str) -> bool:
        # allauth would look the address up in a table of its own, in which nobody here has a row.
        found = self.authenticate(context.request, email=user.email, password=password)
        return found is not None and found.pk == user.pk


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Keeps the secrets of second factors encrypted, under FERNET_KEYS."""

    def encrypt(self, text: str) -> str:
        return _fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _fernet().decrypt(encrypted_text).decode()


def _fernet() -> MultiFernet:
    return cast(MultiFernet, EncryptedTextField().fernet)
