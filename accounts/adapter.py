"""How allauth meets this project."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    pass


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    pass
