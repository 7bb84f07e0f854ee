from django.apps import AppConfig


class QuickJobConfig(AppConfig):
    name = "bench.quickjob"

    def ready(self) -> None:
        from bench.quickjob import kinds  # noqa: F401
