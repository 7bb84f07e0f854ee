from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from allauth.mfa.models import Authenticator

        from deploynix.rotation import JsonColumn, register_column

        # What accounts.adapter encrypts for allauth.
        register_column(JsonColumn(Authenticator, "data", frozenset({"secret", "seed", "migrated_codes"})))
