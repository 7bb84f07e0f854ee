import os
import sys

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from deploynix import env
from deploynix.supervisor import startup
from deploynix.supervisor.programs import programs
from deploynix.supervisor.supervisor import say, supervise


class Announcement:
    """Tells the address, once the web process answers on it."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._is_told = False

    def __call__(self) -> None:
        if self._is_told or not startup.answers(self._host, settings.PORT):
            return
        self._is_told = True
        say(f"ready at {settings.BASE_URL}")
        if startup.has_no_user():
            say("nobody has an account yet: the first visitor creates the owner's")


def start() -> None:
    django.setup()
    host = env.text("HOST", "127.0.0.1")
    lock = startup.claim_data()
    try:
        with startup.listen(host, settings.PORT) as listener:
            startup.prepare()
            supervise(programs(listener), on_tick=Announcement(host))
    finally:
        os.close(lock)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploynix.settings")
    # What is written into the data folder is nobody else's.
    os.umask(0o077)
    try:
        start()
    except (ImproperlyConfigured, startup.Refusal) as error:
        sys.exit(f"deploynix: {error}")
    except OSError as error:
        sys.exit(f"deploynix: {error.filename or 'the data folder'} cannot be used: {error.strerror}. Check DATA.")
    except KeyboardInterrupt:
        sys.exit(130)


main()
