"""Answers requests to the API where they come in.

They carry a token and no cookie, and are answered in JSON: sessions, CSRF, messages, redirects to pages and the
Content-Security-Policy concern none of them, and would take longer than many an answer.
"""

from django.http import HttpRequest, HttpResponse
from django.urls import resolve

from deploynix.middleware import GetResponse

PREFIX = "/api/v1/"


class ApiMiddleware:
    """Stands after what makes a request safe: HTTPS, and the security headers of the answer."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(PREFIX):
            return self.get_response(request)
        # Raises DisallowedHost: addresses in answers are made of it.
        request.get_host()
        request.resolver_match = match = resolve(request.path_info)
        response: HttpResponse = match.func(request, *match.args, **match.kwargs)
        response["Content-Length"] = str(len(response.content))
        if request.method == "HEAD":
            response.content = b""
        return response
