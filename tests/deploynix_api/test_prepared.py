import pytest
from django.db import connection

from accounts.models import User
from deploynix.prepared import Prepared

by_email = Prepared(lambda email: User.objects.filter(email=email).values("id", "created_at", "is_active"))


@pytest.mark.django_db
def test_it_reads_what_the_queryset_would() -> None:
    for email in ("a@acme.test", "b@acme.test"):
        User.objects.create_user(email)
        assert by_email.rows(email=email) == list(
            User.objects.filter(email=email).values("id", "created_at", "is_active")
        )
    assert by_email.rows(email="c@acme.test") == []


def test_values_are_never_part_of_the_sql(db: None) -> None:
    assert by_email.rows(email="' OR 1=1 --") == []


def test_a_value_that_does_not_reach_the_sql_is_refused(db: None) -> None:
    wrong = Prepared(lambda email: User.objects.filter(email__icontains=email).values("id"))
    with pytest.raises(LookupError, match="email"):
        wrong.rows(email="x")


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_broke_meanwhile_is_replaced() -> None:
    User.objects.create_user("a@acme.test")
    if connection.vendor == "postgresql":
        _end_backend()
    else:
        connection.close()
    assert len(by_email.rows(email="a@acme.test")) == 1


def _end_backend() -> None:
    other = connection.copy()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    other.close()
