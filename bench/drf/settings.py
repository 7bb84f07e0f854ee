"""The product's data under the middleware of `startproject` and the stock parts of Django REST framework."""

from deploynix.settings import *  # noqa: F403

INSTALLED_APPS += ["rest_framework.authtoken"]  # noqa: F405
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    # Apps of the product insist on it when they start; bench.drf.wsgi takes it out again.
    "allauth.account.middleware.AccountMiddleware",
]
ROOT_URLCONF = "bench.drf.urls"
# Kept connections, as the product has them, without the question before each use whether they still work.
DATABASES["default"]["CONN_HEALTH_CHECKS"] = False  # noqa: F405

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
    "DEFAULT_THROTTLE_RATES": {"user": "60/min"},  # type: ignore[dict-item]
    "PAGE_SIZE": 15,  # type: ignore[dict-item]
}
