"""Brings what allauth does to an account into the audit log."""

from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from django.contrib.auth.signals import user_logged_out, user_login_failed
from django.dispatch import Signal, receiver
from django.http import HttpRequest

from accounts.models import User
from deploynix.client import client_ip
from organizations.actions import record_account_event, record_failed_sign_in

_EVENTS: tuple[tuple[Signal, str], ...] = (
    (account.user_logged_in, "user.signed-in"),
    (user_logged_out, "user.signed-out"),
    (account.password_changed, "user.password-changed"),
    (account.password_reset, "user.password-changed"),
    (account.password_set, "user.password-changed"),
)
_ADDED = {
    Authenticator.Type.TOTP: "user.second-factor-added",
    Authenticator.Type.RECOVERY_CODES: "user.recovery-codes-made",
}


def _record(event: str, user: User | None, request: HttpRequest | None) -> None:
    if user is not None:
        record_account_event(user, event=event, ip=client_ip(request) if request else None)


def _connect(signal: Signal, event: str) -> None:
    def recorder(sender: Any, user: User | None = None, request: HttpRequest | None = None, **_: Any) -> None:
        _record(event, user, request)

    signal.connect(recorder, weak=False, dispatch_uid=f"audit {event} {id(signal)}")


for _signal, _event in _EVENTS:
    _connect(_signal, _event)


@receiver([mfa.authenticator_added, mfa.authenticator_reset])
def factor_added(sender: Any, request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    _record(_ADDED[authenticator.type], user, request)


@receiver(mfa.authenticator_removed)
def factor_removed(sender: Any, request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    if authenticator.type == Authenticator.Type.TOTP:
        _record("user.second-factor-removed", user, request)


@receiver(mfa.authentication_failed)
def code_refused(sender: Any, request: HttpRequest, user: User, **_: Any) -> None:
    record_failed_sign_in(user, ip=client_ip(request))


@receiver(user_login_failed)
def sign_in_refused(sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    email = str(credentials.get("email") or credentials.get("username") or "")
    user = User.objects.filter(email=email.strip().lower()).first()
    if user:
        record_failed_sign_in(user, ip=client_ip(request) if request else None)
