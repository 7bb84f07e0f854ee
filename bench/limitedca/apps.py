import os

from django.apps import AppConfig

from bench import limitedca


class LimitedCaConfig(AppConfig):
    name = "bench.limitedca"

    def ready(self) -> None:
        limitedca.declare(os.environ["LIMITED_CA"])
