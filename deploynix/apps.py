from django.apps import AppConfig


class DeploynixConfig(AppConfig):
    name = "deploynix"

    def ready(self) -> None:
        from deploynix import rotation  # noqa: F401 -- it registers its check
