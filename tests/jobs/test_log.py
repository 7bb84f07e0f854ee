"""A job's log, read in parts."""

import pytest
from pytest_django import DjangoAssertNumQueries

from deploynix.actor import Actor
from jobs.log import PART, plain, read_end, read_log, stream_log
from jobs.models import Job, JobLog, Status
from tests.jobs.toy import enqueue

pytestmark = pytest.mark.django_db


def write(job: Job, *pieces: str) -> None:
    for text in pieces:
        JobLog.objects.create(job=job, offset=job.log_size, text=text)
        job.log_size += len(text)
    job.save()


def test_parts_follow_each_other_without_a_gap(owner: Actor) -> None:
    job = enqueue(owner)
    lines = [f"line {number} {'x' * (number % 90)}\n" for number in range(6000)]
    text = "".join(lines)
    write(job, *(text[start : start + 9_999] for start in range(0, len(text), 9_999)))
    Job.objects.filter(pk=job.pk).update(status=Status.SUCCEEDED)
    job.refresh_from_db()

    read, after, ended = "", 0, False
    while not ended:
        part = read_log(job, after)
        assert len(part.text) <= PART
        assert part.text.endswith("\n")
        read, after, ended = read + part.text, part.next, part.ended
    assert read == text
    assert after == job.log_size


def test_a_line_under_way_waits_until_it_is_whole(owner: Actor) -> None:
    job = enqueue(owner)
    write(job, "first\nsec")
    part = read_log(job, 0)
    assert (part.text, part.next, part.ended) == ("first\n", 6, False)
    assert read_log(job, part.next).text == ""
    write(job, "ond\n")
    assert read_log(job, part.next).text == "second\n"


def test_a_line_longer_than_a_part_is_shown_in_pieces(owner: Actor) -> None:
    job = enqueue(owner)
    write(job, "x" * (PART + 10))
    part = read_log(job, 0)
    assert (len(part.text), part.next) == (PART, PART)


def test_an_ended_job_gives_its_last_line_without_a_line_end(owner: Actor) -> None:
    job = enqueue(owner)
    write(job, "done")
    assert read_log(job, 0).text == ""
    job.status = Status.FAILED
    part = read_log(job, 0)
    assert (part.text, part.next, part.ended) == ("done", 4, True)


def test_asking_beyond_the_end_gives_nothing(owner: Actor) -> None:
    job = enqueue(owner)
    write(job, "one\n")
    part = read_log(job, 10**17)
    assert (part.text, part.next, part.ended) == ("", 4, False)


def test_colours_cursor_movements_and_titles_are_taken_out() -> None:
    painted = "\x1b[1;32mgreen\x1b[0m \x1b]0;title\x07plain\x1b[2K\x1b[1G 10%\r 20%\r\nnext\x08"
    assert plain(painted) == "green plain 10%\n 20%\nnext"


def test_the_end_of_a_long_log_starts_at_a_line_and_costs_what_a_short_one_does(
    owner: Actor, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    job = enqueue(owner)
    piece = "0123456789abcde\n" * 1024
    text = piece * 1280
    rows = (JobLog(job=job, offset=index * len(piece), text=piece) for index in range(1280))
    JobLog.objects.bulk_create(rows, batch_size=100)
    job.log_size = len(text)
    job.save()
    assert job.log_size == 20 * 1024 * 1024

    with django_assert_num_queries(1):
        part = read_end(job)
    assert part.text.startswith("0123456789abcde\n")
    assert PART - 16 <= len(part.text) <= PART
    assert part.next == job.log_size

    largest = total = 0
    for chunk in stream_log(job):
        largest, total = max(largest, len(chunk)), total + len(chunk)
    assert largest <= PART
    assert total == job.log_size
