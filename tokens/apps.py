from django.apps import AppConfig


class TokensConfig(AppConfig):
    name = "tokens"

    def ready(self) -> None:
        import tokens.kinds
        import tokens.receivers  # noqa: F401 -- importing them registers and connects what they hold
        from deploynix.redact import register_secrets
        from deploynix.signals import web_started
        from tokens.usage import start_writer
        from tokens.waiting import secrets

        register_secrets(secrets)
        web_started.connect(start_writer, dispatch_uid="tokens.usage")
