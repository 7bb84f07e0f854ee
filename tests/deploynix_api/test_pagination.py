"""Pages of a list: shape, edges, cost."""

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries
from rest_framework import serializers

from deploynix.actor import Actor
from deploynix.api import pagination
from deploynix.api.pagination import Page, read_page
from deploynix.api.rows import ListedRows, Listing, Rows
from deploynix.api.serializers import Output
from deploynix.ids import new_id
from tests.apiclient import ApiClient
from tokens.models import Token

pytestmark = pytest.mark.django_db


class TokenRow(Output):
    id = serializers.CharField()
    name = serializers.CharField()
    last_used_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


LISTING = Listing(TokenRow, lambda actor: Token.objects.visible_to(actor).filter(user=actor.user))


@pytest.fixture(autouse=True)
def _no_known_totals() -> Iterator[None]:
    yield
    pagination._totals.__init__()  # type: ignore[misc]


def make_tokens(actor: Actor, count: int) -> None:
    assert actor.user is not None
    Token.objects.bulk_create(
        Token(
            organization=actor.organization,
            user=actor.user,
            name=f"token {number}",
            prefix="dnx_",
            public_id=new_id()[-16:],
            digest="",
            pepper=1,
        )
        for number in range(count)
    )


def count_up_to(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    for module in ("pagination", "rows"):
        monkeypatch.setattr(f"deploynix.api.{module}.COUNTED", most)


def get(api: ApiClient, query: str = "") -> dict[str, Any]:
    response = api.get(f"/tokens{query}")
    assert response.status_code == 200, response.content
    body: dict[str, Any] = response.json()
    return body


def test_the_shape_of_a_page(api: ApiClient, owner: Actor) -> None:
    make_tokens(owner, 41)
    body = get(api)
    assert list(body) == ["data", "meta", "links"]
    assert body["meta"] == {"current_page": 1, "from": 1, "last_page": 3, "per_page": 15, "to": 15, "total": 42}
    base = "http://testserver/api/v1/tokens?page="
    assert body["links"] == {"first": f"{base}1", "last": f"{base}3", "next": f"{base}2", "prev": None}
    assert len(body["data"]) == 15


def test_following_next_sees_every_row_once_newest_first(api: ApiClient, owner: Actor) -> None:
    make_tokens(owner, 41)
    seen: list[str] = []
    body = get(api, "?per_page=10")
    seen += [row["id"] for row in body["data"]]
    while body["links"]["next"]:
        body = get(api, body["links"]["next"].partition("/tokens")[2])
        seen += [row["id"] for row in body["data"]]
    assert seen == list(Token.objects.order_by("-pk").values_list("pk", flat=True))
    assert body["meta"]["from"] == 41
    assert body["meta"]["to"] == 42
    assert body["links"]["prev"] == "http://testserver/api/v1/tokens?page=4&per_page=10"


def test_an_empty_list_and_a_page_beyond_the_end(api: ApiClient, owner: Actor) -> None:
    body = get(api, "?page=7")
    assert body["data"] == []
    assert body["meta"] == {"current_page": 7, "from": None, "last_page": 1, "per_page": 15, "to": None, "total": 1}
    empty, total = read_page(Rows(Token.objects.none(), TokenRow), Page(1, 15))
    assert (empty, total) == ([], 0)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=x", "page"),
        ("page=", "page"),
        ("page=1.5", "page"),
        ("page=99999999999999999999", "page"),
        ("page=%C2%B2", "page"),
        ("per_page=0", "per_page"),
        ("per_page=101", "per_page"),
        ("per_page=all", "per_page"),
    ],
)
def test_nonsense_is_422_naming_the_parameter(query: str, field: str, api: ApiClient) -> None:
    response = api.get(f"/tokens?{query}")
    assert response.status_code == 422
    assert list(response.json()["errors"]) == [field]


def test_the_most_per_page(api: ApiClient, owner: Actor) -> None:
    make_tokens(owner, 120)
    body = get(api, "?per_page=100")
    assert len(body["data"]) == 100
    assert body["meta"]["total"] == 121


def test_a_list_costs_two_queries_in_all(
    api: ApiClient, owner: Actor, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_tokens(owner, 40)
    for query in ("", "?page=2", "?page=3"):
        with django_assert_num_queries(2):
            get(api, query)


@pytest.mark.parametrize("prepared", [False, True])
def test_a_long_list_is_counted_once_and_read_from_its_nearer_end(
    prepared: bool, owner: Actor, django_assert_num_queries: DjangoAssertNumQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    count_up_to(monkeypatch, 100)
    listing = Listing(TokenRow, lambda actor: Token.objects.visible_to(actor))
    rows = Rows(Token.objects.visible_to(owner), TokenRow)
    source = ListedRows(listing, owner) if prepared else rows
    make_tokens(owner, 253)
    with django_assert_num_queries(2):
        _, total = read_page(source, Page(1, 15))
    assert total == 253
    ids = list(Token.objects.order_by("-pk").values_list("pk", flat=True))
    for number in (1, 2, 8, 9, 10, 16, 17):
        with django_assert_num_queries(1):
            found, total = read_page(source, Page(number, 15))
        assert [row["id"] for row in found] == ids[(number - 1) * 15 : number * 15]
        assert total == 253
    assert read_page(source, Page(18, 15)) == ([], 253)


def test_people_of_one_organization_share_a_long_list_s_total(
    owner: Actor, member: Actor, django_assert_num_queries: DjangoAssertNumQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    count_up_to(monkeypatch, 10)
    make_tokens(owner, 20)
    everybodys = Listing(TokenRow, lambda actor: Token.objects.visible_to(actor))
    own = Listing(TokenRow, lambda actor: Token.objects.visible_to(actor).filter(user=actor.user))
    for listing, total in ((everybodys, 20), (own, 0)):
        read_page(ListedRows(listing, owner), Page(1, 15))
        with django_assert_num_queries(1):
            assert read_page(ListedRows(listing, member), Page(1, 15))[1] == total


def test_up_to_the_cap_the_total_is_exact(owner: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    count_up_to(monkeypatch, 20)
    rows = Rows(Token.objects.visible_to(owner), TokenRow)
    make_tokens(owner, 20)
    assert read_page(rows, Page(1, 15))[1] == 20
    make_tokens(owner, 1)
    assert read_page(rows, Page(1, 15))[1] == 21
    make_tokens(owner, 1)
    assert read_page(rows, Page(1, 15))[1] == 21, "beyond the cap it may be a minute old"


def test_a_listing_reads_what_its_queryset_would(owner: Actor, outsider: Actor) -> None:
    make_tokens(owner, 20)
    make_tokens(outsider, 3)
    for actor in (owner, outsider, owner):
        plain = read_page(Rows(Token.objects.visible_to(actor).filter(user=actor.user), TokenRow), Page(1, 15))
        assert read_page(ListedRows(LISTING, actor), Page(1, 15)) == plain


def test_a_listing_takes_texts(owner: Actor) -> None:
    make_tokens(owner, 20)
    listing = Listing(TokenRow, lambda actor, name: Token.objects.visible_to(actor).filter(name=name))
    for name in ("token 3", "token 4", "nothing"):
        rows, total = read_page(ListedRows(listing, owner, name=name), Page(1, 15))
        assert [row["name"] for row in rows] == ([name] if name != "nothing" else [])
        assert total == len(rows)


def test_a_listing_that_would_differ_by_ability_is_refused(owner: Actor) -> None:
    listing = Listing(TokenRow, lambda actor: Token.objects.shown_to(actor))
    with pytest.raises(LookupError, match="must not depend on abilities"):
        read_page(ListedRows(listing, owner), Page(1, 15))
