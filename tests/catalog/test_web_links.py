"""Pages link to web addresses only; what else a feed calls a link is refused, whoever wrote it."""

import pytest

from catalog.web_links import is_link, read_link

GOOD = {
    "https://shop.example/p/mug-1": "https://shop.example/p/mug-1",
    " http://shop.example ": "http://shop.example",
    "HTTPS://Shop.Example/P?a=1&b=%20#c": "HTTPS://Shop.Example/P?a=1&b=%20#c",
    "https://shop.example/red mug": "https://shop.example/red%20mug",
    "https://商店.example/杯子": "https://商店.example/杯子",
    "http://[2001:db8::1]:8080/p": "http://[2001:db8::1]:8080/p",
    "https://shop.example/p?mail=a@b.example": "https://shop.example/p?mail=a@b.example",
}
REFUSED = (
    *("javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)", "\x01javascript:alert(1)"),
    *("data:text/html,<script>alert(1)</script>", "vbscript:x", "file:///etc/passwd", "ftp://shop.example/p"),
    *(
        "//shop.example/p",
        "/p/mug-1",
        "p/mug-1",
        "shop.example/p",
        "mailto:a@b.example",
        "",
        " ",
        "https://",
        "https:///p",
    ),
    *(
        "https://shop.example@evil.example/",
        "https://user:secret@shop.example/",
        "https:\\\\evil.example",
        "http:/\\evil.example",
    ),
    *("https://shop.example\\@evil.example/", "https://shop.example/\n/p", "https://shop.example/\u202egnp.exe"),
    *(
        "https://shop.example/\x00",
        "https://shop.example:99999/",
        "https://[::1/p",
        "https://shop.example/" + "a" * 2_000,
    ),
)


@pytest.mark.parametrize("text", GOOD)
def test_a_web_address_is_linked_to(text):
    assert read_link(text) == (GOOD[text], "")
    assert is_link(GOOD[text])


@pytest.mark.parametrize("text", REFUSED, ids=range(len(REFUSED)))
def test_anything_else_is_refused_with_a_reason(text):
    link, fault = read_link(text)
    assert not link and fault.startswith("it ")
    assert not is_link(text)
