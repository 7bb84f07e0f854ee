import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler

django.setup()
settings.MIDDLEWARE.remove("allauth.account.middleware.AccountMiddleware")
application = WSGIHandler()
