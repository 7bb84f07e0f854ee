"""What every page stands on: an actor, an ability, forms that call one action, and lists with search."""

import operator
from abc import ABC, abstractmethod
from functools import reduce
from typing import Any, ClassVar, TypeVar, cast

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Model, Q, QuerySet
from django.forms import BaseForm, Form
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.views.generic import FormView, ListView, View
from django_htmx.http import HttpResponseClientRedirect

from accounts.models import User
from deploynix.actor import Actor
from deploynix.errors import Denied, Error, Invalid

Row = TypeVar("Row", bound=Model)
SomeForm = TypeVar("SomeForm", bound=BaseForm)


def entrance(request: HttpRequest) -> HttpResponse:
    """Where someone who is not signed in goes: to sign in, or with no user yet, to become the owner."""
    if not User.objects.exists():
        return redirect("account_signup")
    return redirect_to_login(request.get_full_path())


class SignedInMixin(View):
    """A page for anybody who is signed in, in an organization or not."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return _whole_page(request, entrance(request))
        return super().dispatch(request, *args, **kwargs)

    @property
    def user(self) -> User:
        return cast(User, self.request.user)


class PageMixin(SignedInMixin):
    """A page of the organization, at `self.actor`. Who lacks `ability` gets the 403 page, which names it."""

    ability: ClassVar[str] = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            if not self.actor:
                return _whole_page(request, redirect("organization_create"))
            if self.ability:
                self.actor.require(self.ability)
        return super().dispatch(request, *args, **kwargs)

    @property
    def actor(self) -> Actor:
        return cast(Actor, self.request.actor)  # type: ignore[attr-defined]


class FormErrorsMixin(ABC, FormView[SomeForm]):
    """A form whose `perform` calls one action. What the action refuses is shown at the form, with status 422."""

    @abstractmethod
    def perform(self, form: SomeForm) -> HttpResponseBase | None:
        """Calls the action; answers the next page, or None for `get_success_url()`."""

    def form_valid(self, form: SomeForm) -> HttpResponse:
        try:
            response = self.perform(form)
        except (Error, ValidationError) as error:
            add_errors(form, error)
            return self.form_invalid(form)
        return cast(HttpResponse, response or redirect(self.get_success_url()))

    def get_success_url(self) -> str:
        return resolve_url(self.success_url or self.request.path)

    def form_invalid(self, form: SomeForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)


class ActionFormView(PageMixin, FormErrorsMixin[Form]):
    """A form on a page of the organization."""


class ActionView(ABC, PageMixin):
    """A button: a POST that calls one action. What the action refuses is shown on the page it returns to.

    `confirmation` is what `components/danger.html` makes the person type first, if anything.
    """

    http_method_names = ["post"]
    success_url: ClassVar[str]

    @property
    def confirmation(self) -> str:
        return ""

    @abstractmethod
    def perform(self) -> str:
        """Calls the action; answers what to tell the person."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.confirmation and request.POST.get("confirm", "").strip() != self.confirmation:
            messages.error(request, f"Nothing was done. Type {self.confirmation} to confirm.")
            return redirect(self.get_success_url())
        try:
            messages.success(request, self.perform())
        except Denied:
            raise
        except Error as error:
            messages.error(request, f"{error.message} {error.hint}".strip())
        return redirect(self.get_success_url())

    def get_success_url(self) -> str:
        return resolve_url(self.success_url)


class ListPage(PageMixin, ListView[Row]):
    """The actor's rows of `model`, in pages of 25, for a template that extends `base/list.html`.

    `?q=` searches `search_fields`. `filters` are the parameters that narrow the list besides: `given` maps each to
    its value, and `get_queryset` of the page applies them.
    """

    paginate_by = 25
    ordering = "-id"
    search_fields: ClassVar[tuple[str, ...]] = ()
    filters: ClassVar[tuple[str, ...]] = ()

    @property
    def query(self) -> str:
        return self.request.GET.get("q", "").strip() if self.search_fields else ""

    @property
    def given(self) -> dict[str, str]:
        return {name: self.request.GET.get(name, "") for name in self.filters}

    def get_queryset(self) -> QuerySet[Row]:
        rows = cast(Any, super().get_queryset()).visible_to(self.actor)
        return search(rows, self.search_fields, self.query)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        given = self.given
        is_narrowed = any((self.query, *given.values()))
        return super().get_context_data(q=self.query, given=given, is_narrowed=is_narrowed, **kwargs)


def search(rows: QuerySet[Row], fields: tuple[str, ...], text: str) -> QuerySet[Row]:
    """The rows that hold `text` in one of the fields, whatever the case."""
    if not text or not fields:
        return rows
    return rows.filter(reduce(operator.or_, (Q(**{f"{name}__icontains": text}) for name in fields)))


def add_errors(form: BaseForm, error: Error | ValidationError) -> None:
    """Puts what an action refused at the form's fields; what belongs to none of them goes to the form itself.

    What is said of one value of a list, such as `ip_whitelist.1`, goes to the list's field and names the value.
    """
    # Adding an error takes the field's value away.
    refused = [
        (_field_of(form, name), _about(form, name, text)) for name, texts in _texts(error).items() for text in texts
    ]
    for field, text in refused:
        form.add_error(field, text)


def _field_of(form: BaseForm, name: str) -> str | None:
    """A field may have a dotted name itself, where a form shows the values of a list one by one."""
    return next((field for field in (name, name.partition(".")[0]) if field in form.fields), None)


def _about(form: BaseForm, name: str, text: str) -> str:
    field, _, position = name.partition(".")
    is_one = field in form.fields and position.isdecimal()
    return f"{form.cleaned_data[field][int(position)]}: {text}" if is_one else text


def _texts(error: Error | ValidationError) -> dict[str, list[str]]:
    if isinstance(error, Invalid):
        return error.errors
    if isinstance(error, Error):
        return {NON_FIELD_ERRORS: [f"{error.message} {error.hint}".strip()]}
    return error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}


def _whole_page(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """htmx would follow a redirect and put the page it finds into a corner of this one."""
    if getattr(request, "htmx", False):
        return HttpResponseClientRedirect(response["Location"])
    return response
