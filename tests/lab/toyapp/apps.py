from django.apps import AppConfig


class ToyConfig(AppConfig):
    name = "tests.lab.toyapp"
    label = "toyapp"

    def ready(self) -> None:
        from tests.lab.toyapp import kinds  # noqa: F401
