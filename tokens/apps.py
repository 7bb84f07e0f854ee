from django.apps import AppConfig


class TokensConfig(AppConfig):
    name = "tokens"

    def ready(self) -> None:
        import tokens.receivers  # noqa: F401 -- importing it connects them
        from deploynix.signals import web_started
        from tokens.usage import start_writer

        web_started.connect(start_writer, dispatch_uid="tokens.usage")
