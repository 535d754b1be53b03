"""HTML descriptions become what a reader sees, in time that grows with their length."""

import pytest

from catalog.text.html import plain_text
from tests.timing import ProcessorTime, speed


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("plain\ntext", "plain\ntext"),
        ("Caf&eacute; &lt;3 &#8364;", "Café <3 €"),
        ("<p>One</p>\n<p>two<br>three</p>", "One\ntwo\nthree"),
        ("<b>bo</b>ld and\n  wide", "bold and wide"),
        ("<ul><li>a<li>b</ul>", "a\nb"),
        ("<tr><td>a</td><td>b</td></tr>", "a b"),
        ("a<!-- <p>hidden > --> b", "a b"),
        ("a<script>if (a<b) {}</SCRIPT>b<style>p{}</style>", "ab"),
        ("1 < 2 <i>yes</i>", "1 < 2 yes"),
        ("a <img src='x.png' onerror='alert(1)'>", "a"),
        ("<p>cut <a href='", "cut"),
        ("<script>never closed", ""),
        ("&#99999999999999; &#xD800;", "\ufffd"),
        ("İ<script>x</script>y", "İy"),
        ("", ""),
    ],
)
def test_what_a_reader_sees(markup, text):
    assert plain_text(markup) == text


@pytest.mark.promise("S9")
@pytest.mark.parametrize("piece", ["<!--", "<a ", "<", "</", "&", "<a b='", "<![CDATA[", "<script>", "&#9", "<br>"])
def test_no_markup_takes_long(piece):
    markup = piece * (2**20 // len(piece))
    with ProcessorTime() as spell:
        plain_text(markup)
    assert spell.seconds < 5 * speed()  # about 0.5 s at most; a parser that looks back takes hours
