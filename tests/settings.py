"""The project's settings as the tests want them: nothing of a real install is read or touched."""

import atexit
import os
import shutil
import tempfile

if "DATA" not in os.environ:
    os.environ["DATA"] = tempfile.mkdtemp(prefix="deploynix-tests-")
    atexit.register(shutil.rmtree, os.environ["DATA"], ignore_errors=True)
os.environ.setdefault("REDIS_URL", "memory://")

from deploynix.settings import *  # noqa: F403

STORAGES["staticfiles"] = {  # noqa: F405
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage",
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":  # noqa: F405
    # A file, so that threads and the worker processes of the lab see the same rows as the test.
    DATABASES["default"]["TEST"] = {"NAME": DATA / "test.sqlite3"}  # noqa: F405
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
