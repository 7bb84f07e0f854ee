"""allauth's pages, those that are used here. Signing up is in `organizations.urls`: it makes an organization too."""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from django.urls import path, re_path

from accounts.views import SignInView

urlpatterns = [
    path("accounts/login", SignInView.as_view(), name="account_login"),
    path("accounts/logout", account.logout, name="account_logout"),
    path("accounts/inactive", account.account_inactive, name="account_inactive"),
    path("accounts/reauthenticate", account.reauthenticate, name="account_reauthenticate"),
    path("accounts/password/change", account.password_change, name="account_change_password"),
    path("accounts/password/reset", account.password_reset, name="account_reset_password"),
    path("accounts/password/reset/sent", account.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^accounts/password/reset/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "accounts/password/reset/done",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    path("accounts/2fa", mfa.index, name="mfa_index"),
    path("accounts/2fa/authenticate", mfa.authenticate, name="mfa_authenticate"),
    path("accounts/2fa/reauthenticate", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("accounts/2fa/totp/activate", totp.activate_totp, name="mfa_activate_totp"),
    path("accounts/2fa/totp/deactivate", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("accounts/2fa/recovery-codes", codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("accounts/2fa/recovery-codes/generate", codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
]
