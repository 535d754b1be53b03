"""HTML descriptions become what a reader sees, in time that grows with their length."""

import pytest

from catalog.text.html import description_text, field_text, plain_text
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


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Ben &amp; Jerry&#39;s mug", "Ben & Jerry's mug"),
        ("Home &amp; Garden &gt; Mugs", "Home & Garden > Mugs"),
        ("&uuml;ber &#xFC; &#252; &hellip; &euro;5", "über ü ü … €5"),
        ("5&quot; plate&nbsp;&nbsp;red", '5" plate red'),
        ("AT&amp;amp;T, P&amp;uuml;ree", "AT&T, Püree"),
        ("&#150; &#x1b;x &#0;", "– x \ufffd"),
        ("<b>Red</b> mug", "Red mug"),
        ('<span class="x">Red</span><BR/>mug', "Red mug"),
        ("H<sub>2</sub>O bottle", "H2O bottle"),
        ("&lt;b&gt;Red&lt;/b&gt; mug", "Red mug"),
        ("<p>Unclosed", "Unclosed"),
        ("<!-- old -->Mug", "Mug"),
    ],
)
def test_a_field_without_html(text, plain):
    assert field_text(text) == plain
    assert " ".join(description_text(text).split()) == plain


@pytest.mark.parametrize(
    "text",
    [
        "1 < 2 & 3 > 2",
        "AT&T R&D H&M",
        "fish&chips; Tom & Jerry; mug",
        "a &copy b",
        "&notanentity; x",
        "&#999999999999; x",
        "I <3 you",
        "size < 40 cm, weight <5kg",
        "if a<b and c>d",
        "Model <A> lamp",
        "Cable <USB-C>",
        "<b",
        "</",
        "<br>",  # of which nothing would be left
        "two  spaces",
    ],
)
def test_what_is_no_html_stays(text):
    assert field_text(text) == text


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (
            "<p>A <strong>sturdy</strong> mug.<br>Dishwasher&nbsp;safe.</p>",
            "A sturdy mug. Dishwasher safe.",
        ),
        ("<ul><li>Cotton</li><li>Red</li></ul>", "Cotton\nRed"),
        ("&lt;p&gt;A mug.&lt;/p&gt;&lt;p&gt;Red&lt;/p&gt;", "A mug. Red"),
        ("A<script>var x = '<b>';</script>B<style>p{}</style>C", "ABC"),
        ("first line.\nsecond &amp; last line", "first line.\nsecond & last line"),
        ("a &copy b <br> c", "a &copy b\nc"),
        ("1 < 2 & 3 > 2", "1 < 2 & 3 > 2"),
        ("&nbsp;", ""),
    ],
)
def test_a_description_without_html(text, plain):
    assert description_text(text) == plain


@pytest.mark.promise("S9")
@pytest.mark.parametrize("piece", ["<!--", "<a ", "<", "</", "&", "<a b='", "<![CDATA[", "<script>", "&#9", "<br>"])
def test_no_markup_takes_long(piece):
    markup = piece * (2**20 // len(piece))
    with ProcessorTime() as spell:
        plain_text(markup)
        field_text(markup)
    assert spell.seconds < 5 * speed()  # about 0.5 s at most; a parser that looks back takes hours
