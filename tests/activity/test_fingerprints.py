"""Which errors are the same one."""

from time import process_time

import pytest

from activity.fingerprints import derive_fingerprint, top_frame

PYTHON = """Traceback (most recent call last):
  File "/srv/app/main.py", line 3, in <module>
    main()
  File "/srv/app/cart.py", line 42, in checkout
    raise ValueError
ValueError: no total"""
JAVASCRIPT = "TypeError: x is undefined\n    at checkout (/srv/app/cart.js:42:7)\n    at main (/srv/app/main.js:1:1)"
PHP = "#0 /srv/app/Cart.php(42): checkout()\n#1 {main}"
JAVA = "java.lang.Error: x\n\tat com.acme.Cart.checkout(Cart.java:42)\n\tat com.acme.Main.main(Main.java:1)"
RUBY = "cart.rb:42:in 'checkout': x (RuntimeError)\n\tfrom main.rb:1:in '<main>'"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Order 17 is gone", "Order 4711 is gone"),
        ("user 0b6ad0f2-9c0e-4f3f-8a3e-0d7a3a1c2b4d", "user 7f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"),
        ("job 01J9Z3KQ5W8V0N2M4P6R8T0VXY", "job 01J9Z3K0B2C4D6E8F0G2H4J6K8"),
        ("object at 0x7fde225d93a0", "object at 0x1f"),
        ("commit 6dcb09b5b578 is missing", "commit ea7f5cb12345 is missing"),
        ("took 1.5 s", "took 12.75 s"),
    ],
)
def test_numbers_and_ids_make_no_difference(one: str, other: str) -> None:
    assert derive_fingerprint("E", one, "") == derive_fingerprint("E", other, "")


def test_type_message_and_place_make_one() -> None:
    errors = [
        ("A", "m", JAVA),
        ("B", "m", JAVA),
        ("A", "n", JAVA),
        ("A", "m", PHP),
        ("A", "defaced", ""),
        ("A", "faceted", ""),
    ]
    assert len({derive_fingerprint(*error) for error in errors}) == len(errors)


def test_a_line_that_moved_is_the_same_place() -> None:
    moved = JAVASCRIPT.replace(":42:7", ":51:9").replace("/srv/app/main.js:1:1", "/srv/app/other.js:8:1")
    assert derive_fingerprint("E", "m", moved) == derive_fingerprint("E", "m", JAVASCRIPT)


@pytest.mark.parametrize(
    ("stack", "frame"),
    [
        (PYTHON, 'File "/srv/app/cart.py", line 42, in checkout'),
        (JAVASCRIPT, "at checkout (/srv/app/cart.js:42:7)"),
        (PHP, "#0 /srv/app/Cart.php(42): checkout()"),
        (JAVA, "at com.acme.Cart.checkout(Cart.java:42)"),
        (RUBY, "cart.rb:42:in 'checkout': x (RuntimeError)"),
        ("no stack at all", ""),
        ("", ""),
    ],
)
def test_the_top_frame_is_where_it_was_raised(stack: str, frame: str) -> None:
    assert top_frame(stack) == frame


@pytest.mark.parametrize("piece", [" ", "a", "0", "a1", "at ", "x:", "\n ", "from ", "0x", '"'])
def test_a_hostile_text_is_read_in_no_time(piece: str) -> None:
    text = piece * (64_000 // len(piece))
    started = process_time()
    derive_fingerprint(text, text, text)
    assert process_time() - started < 1
