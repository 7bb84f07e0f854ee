"""Settings, from the environment alone. `docs/running-in-production.md` lists every variable."""

from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url
import django_stubs_ext
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from deploynix import env
from deploynix.mail import email_settings

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
DATA = Path(env.text("DATA", str(BASE_DIR / "var"))).resolve()
PRODUCTION = env.flag("PRODUCTION")
DEBUG = False

SECRET_KEY = env.secret("SECRET_KEY", production=PRODUCTION, folder=DATA / "keys")
FERNET_KEYS = env.secret("FERNET_KEYS", production=PRODUCTION, folder=DATA / "keys", fernet=True).split(",")
# Numbered by place, oldest first: the last one signs new tokens, the earlier ones still verify old tokens.
TOKEN_PEPPERS = env.secret("TOKEN_PEPPERS", production=PRODUCTION, folder=DATA / "keys").split(",")

PORT = env.number("PORT", 8000)
BASE_URL = env.text("BASE_URL", "" if PRODUCTION else f"http://localhost:{PORT}").rstrip("/")
if PRODUCTION and not BASE_URL.startswith("https://"):
    raise ImproperlyConfigured("BASE_URL is not set to an https:// address. Production needs the address users type.")
_HOST = urlsplit(BASE_URL).hostname or ""
ALLOWED_HOSTS = env.items("ALLOWED_HOSTS", _HOST if PRODUCTION else f"{_HOST},localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = [BASE_URL]
# How many proxies in front of the web process are trusted to add X-Forwarded-For.
TRUSTED_PROXIES = env.number("TRUSTED_PROXIES", 0)
# A MaxMind-format database that tells the country of an address; without one, only networks are told apart.
PLACES_DATABASE = env.text("PLACES_DATABASE", "")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "deploynix",
    "audit",
    "accounts",
    "organizations",
    "jobs",
    "tokens",
    "providers",
    "servers",
    "domains",
    "repositories",
    "sites",
    "backups",
    "certificates",
    "activity",
]

MIDDLEWARE = [
    "deploynix.middleware.RequestIdMiddleware",
    "deploynix.health.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "deploynix.api.middleware.ApiMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "organizations.middleware.ActorMiddleware",
    "deploynix.middleware.ErrorPageMiddleware",
]

ROOT_URLCONF = "deploynix.urls"
WSGI_APPLICATION = "deploynix.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "organizations.context.navigation",
            ],
        },
    },
]

DATABASE_URL = env.text("DATABASE_URL", f"sqlite:///{DATA / 'deploynix.sqlite3'}")
DATABASES = {"default": dj_database_url.parse(DATABASE_URL, conn_max_age=60, conn_health_checks=True)}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATA.mkdir(mode=0o700, parents=True, exist_ok=True)
    DATABASES["default"]["OPTIONS"] = {
        # Readers never wait for a writer, and a writer takes its lock when the transaction starts, so that two
        # writers queue for up to `timeout` seconds and never dead-lock.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    # psycopg prepares a statement of `deploynix.prepared` once it was sent so often.
    DATABASES["default"]["OPTIONS"] = {"connect_timeout": 5, "prepare_threshold": 5} | DATABASES["default"].get(
        "OPTIONS", {}
    )
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_SOCKET = DATA / "redis.sock"
REDIS_URL = env.text("REDIS_URL", f"unix://{REDIS_SOCKET}")

# Rate limits of the sign-in pages are counted here, by all web processes together.
_SHARED_CACHE = REDIS_URL.startswith(("redis://", "rediss://", "unix://"))
CACHES = {
    "default": {
        "BACKEND": f"django.core.cache.backends.{'redis.RedisCache' if _SHARED_CACHE else 'locmem.LocMemCache'}",
        "LOCATION": REDIS_URL if _SHARED_CACHE else "",
        "KEY_PREFIX": "deploynix",
    }
}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# Closed: nobody signs up without an invitation, but for the first user, who becomes the owner.
REGISTRATION_OPEN = env.flag("REGISTRATION_OPEN")

ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Deploynix] "
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Deploynix"
# Nobody's address is verified here, and a second factor does not depend on one.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_ADAPTER = "accounts.adapter.MFAAdapter"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "dashboard"

EMAIL_URL = env.text("EMAIL_URL", "console:")
globals().update(email_settings(EMAIL_URL))
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", f"Deploynix <deploynix@{_HOST or 'localhost'}>")

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(DATA / "static")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_NAME = "deploynix_session"
SECURE_SSL_REDIRECT = PRODUCTION
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        # Tabler's style sheet holds its small icons as data: images; the second factor's QR code is one too.
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["tokens.authentication.TokenAuthentication"],
    "DEFAULT_SCHEMA_CLASS": "deploynix.api.schema.Schema",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Deploynix API",
    "DESCRIPTION": "Servers, sites and their deployments. Each operation names the ability that its token needs.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    # Choices stand where they are used; by default each set would need a name of its own.
    "POSTPROCESSING_HOOKS": [],
    "APPEND_COMPONENTS": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
}
# Requests a minute: sign-in and registration per address, new tokens per user, everything else per token, or per
# address where no token is needed.
RATE_LIMIT_AUTH = env.number("RATE_LIMIT_AUTH", 5)
RATE_LIMIT_TOKENS = env.number("RATE_LIMIT_TOKENS", 10)
# Passphrases tried a minute, per token and address; each costs a slow hash.
RATE_LIMIT_PASSPHRASE = env.number("RATE_LIMIT_PASSPHRASE", 30)
# Addresses of backups an hour, per user.
RATE_LIMIT_DOWNLOADS = env.number("RATE_LIMIT_DOWNLOADS", 10)
RATE_LIMIT_GENERAL = env.number("RATE_LIMIT_GENERAL", 60)
# What an API key may ask instead, by its rate type: requests an hour, and a minute.
RATE_LIMIT_TYPES: dict[str, tuple[int | None, int | None]] = {
    "standard": (env.number("RATE_LIMIT_STANDARD_HOUR", 1_000), env.number("RATE_LIMIT_STANDARD_MINUTE", 100)),
    "high_volume": (
        env.number("RATE_LIMIT_HIGH_VOLUME_HOUR", 10_000),
        env.number("RATE_LIMIT_HIGH_VOLUME_MINUTE", 1_000),
    ),
    "limited": (env.number("RATE_LIMIT_LIMITED_HOUR", 100), env.number("RATE_LIMIT_LIMITED_MINUTE", 10)),
    "unlimited": (None, None),
}
# So many refused attempts with one token in ten minutes are worth a mail.
TOKEN_FAILURE_BURST = env.number("TOKEN_FAILURE_BURST", 20)
RATE_LIMIT_STORAGE = env.text("RATE_LIMIT_STORAGE", REDIS_URL)

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_TASK_DEFAULT_QUEUE = "interactive"
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Celery itself would close each task's connections; deploynix.celery closes those that are old or broken.
CELERY_DB_REUSE_MAX = 2**62
# The jobs table is the queue of record: a message that is lost is sent again, so none is worth waiting for.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 5, "socket_connect_timeout": 5}
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA / "beat")
CELERY_BEAT_SCHEDULE = {
    "reap": {"task": "jobs.reap", "schedule": 2.0, "options": {"expires": 2, "queue": "interactive"}},
    "warn-of-tokens": {"task": "tokens.warn", "schedule": 3600.0},
    "forget-token-use": {"task": "tokens.forget_use", "schedule": 86_400.0},
    "forget-idempotency-keys": {"task": "deploynix.forget_idempotency_keys", "schedule": 3600.0},
    "rotate-due-keys": {"task": "tokens.rotate_due", "schedule": 60.0, "options": {"expires": 60}},
    "verify-credentials": {"task": "providers.verify_due", "schedule": 300.0, "options": {"expires": 300}},
    "warn-of-credentials": {"task": "providers.warn", "schedule": 3600.0},
    "run-backup-schedules": {"task": "backups.run_due", "schedule": 10.0, "options": {"expires": 10}},
    "raise-backup-alarms": {"task": "backups.raise_alarms", "schedule": 60.0, "options": {"expires": 60}},
    "warn-of-certificates": {"task": "certificates.warn", "schedule": 3600.0},
    "run-due-certificates": {"task": "certificates.run_due", "schedule": 60.0, "options": {"expires": 60}},
    "raise-certificate-alarms": {"task": "certificates.raise_alarms", "schedule": 300.0, "options": {"expires": 300}},
    "read-databases": {"task": "servers.read_due_databases", "schedule": 300.0, "options": {"expires": 300}},
    "check-domains": {"task": "domains.check_due", "schedule": 60.0, "options": {"expires": 60}},
    "forget-old-activity": {"task": "activity.forget_old", "schedule": 3600.0},
}

# Days for which activity is kept, and errors that are not seen any more.
ACTIVITY_DAYS = env.number("ACTIVITY_DAYS", 90)

# Networks in CIDR form that may read /metrics, and a token with which it can be read from anywhere.
METRICS_ALLOW = env.networks("METRICS_ALLOW", "127.0.0.0/8,::1/128")
METRICS_TOKEN = env.text("METRICS_TOKEN")

# Networks in CIDR form that requests may reach though they are not public: a GitLab or a store of one's own.
OUTBOUND_ALLOW = env.networks("OUTBOUND_ALLOW")
# A file of authorities that requests believe besides the well-known ones: those of a private network's servers.
OUTBOUND_CA_BUNDLE = env.certificates("OUTBOUND_CA_BUNDLE")
# Resolvers that names are looked up with; none: those of the system.
DNS_RESOLVERS = env.hosts("DNS_RESOLVERS")
# Where a provider's API is asked in the place of the vendor's own address, by kind and key: a proxy, or a stand-in.
PROVIDER_URLS = env.addresses("PROVIDER_URLS")

# As whom this install is known to DNS providers that offer Domain Connect: a domain of the operator's, below which the
# public key is published. Empty: that way is not offered.
DOMAIN_CONNECT_PROVIDER_ID = env.text("DOMAIN_CONNECT_PROVIDER_ID").lower()
DOMAIN_CONNECT_PROVIDER_NAME = env.text("DOMAIN_CONNECT_PROVIDER_NAME", "Deploynix")
DOMAIN_CONNECT_KEY = (
    env.pem("DOMAIN_CONNECT_KEY", production=PRODUCTION, folder=DATA / "keys") if DOMAIN_CONNECT_PROVIDER_ID else ""
)

# Servers on private networks are ordinary; an install that serves strangers may want to forbid them.
SSH_ALLOW_PRIVATE = env.flag("SSH_ALLOW_PRIVATE", True)

LOG_LEVEL = env.text("LOG_LEVEL", "INFO").upper()
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"context": {"()": "deploynix.logs.ContextFilter"}},
    "formatters": {
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "format": "%(levelname)s %(name)s %(message)s",
            "rename_fields": {"levelname": "level", "name": "logger"},
            "timestamp": "time",
        },
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json", "filters": ["context"]}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "asyncssh": {"level": "WARNING"},
        # Two lines a task say nothing that the jobs table does not, and the reaper runs every two seconds.
        "celery": {"level": "WARNING"},
        "django.server": {"level": "WARNING"},
    },
}
