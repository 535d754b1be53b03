"""The web addresses that pictures may be fetched from: their form, and the IP addresses of their hosts."""

import pytest

from catalog.errors import BadAddress
from catalog.fetching.url_policy import is_public, read_address


@pytest.mark.parametrize(
    ("text", "requested"),
    [
        ("http://shop.example/1.png", "http://shop.example/1.png"),
        ("HTTPS://Shop.Example:443/1.png?v=2#top", "https://shop.example/1.png?v=2"),
        ("http://shop.example", "http://shop.example/"),
        ("http://shop.example./a b/é.png", "http://shop.example/a%20b/%C3%A9.png"),
        ("http://shop.example/%20/100%25/[1].png", "http://shop.example/%20/100%25/%5B1%5D.png"),
        ("http://shop.example/?a=b/c?d&e=ü", "http://shop.example/?a=b/c?d&e=%C3%BC"),
        ("http://shop.example:443/1.png", "http://shop.example:443/1.png"),
        ("https://bücher.example/1.png", "https://xn--bcher-kva.example/1.png"),
        ("http://93.184.215.14/1.png", "http://93.184.215.14/1.png"),
        ("http://[2606:2800:21F::14]:80/1.png", "http://[2606:2800:21f::14]/1.png"),
        ("http://my_shop.cdn-1.example/1.png", "http://my_shop.cdn-1.example/1.png"),
    ],
)
def test_the_form_in_which_an_address_is_requested(text, requested):
    assert str(read_address(text)) == requested
    assert str(read_address(requested)) == requested


@pytest.mark.promise("S10")
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "only http and https"),
        ("shop.example/1.png", "only http and https"),
        ("ftp://shop.example/1.png", "only http and https"),
        ("file:///etc/hostname", "only http and https"),
        ("javascript:alert(1)", "only http and https"),
        ("http:/shop.example/1.png", "names no host"),
        ("http:shop.example/1.png", "names no host"),
        ("http:///1.png", "names no host"),
        ("http://user@shop.example/", "a user name or a password"),
        ("http://user:secret@shop.example/", "a user name or a password"),
        ("http://@shop.example/", "a user name or a password"),
        ("http://shop.example\\@127.0.0.1/", "backslashes"),
        ("http:\\\\shop.example\\1.png", "backslashes"),
        ("http://shop.example/\r\nHost: x", "control characters"),
        ("http://shop.example/\t1.png", "control characters"),
        ("http://shop.example/\x00", "control characters"),
        ("http://shop.example:22/", "port 22 is not allowed, only 80 and 443"),
        ("http://shop.example:0/", "port 0 is not allowed"),
        ("http://shop.example:8080/", "port 8080 is not allowed"),
        ("http://shop.example:99999/", "not an address"),
        ("http://shop.example:80:80/", "not an address"),
        ("http://shop.example:eighty/", "not an address"),
        ("http://[::1/", "not an address"),
        ("http://[shop.example]/", "not a name|not an address"),
        ("http://shop example/", "not a name"),
        ("http://shop%2eexample/", "not a name"),
        ("http://-shop.example/", "not a name"),
        ("http://shop..example/", "not a name"),
        ("http://" + "a" * 64 + ".example/", "not a name"),
        ("http://" + "a." * 150 + "example/", "not a name"),
        ("http://" + "ä." * 150 + "example/", "not a name"),
        ("http://shop.example/" + "x" * 5_000, "longer than 4,000"),
        ("http://2130706433/", "a number that is not written like"),
        ("http://1.2.3/", "a number that is not written like"),
    ],
)
def test_a_form_that_is_refused(text, reason):
    with pytest.raises(BadAddress, match=reason) as caught:
        read_address(text)
    assert caught.value.hint


@pytest.mark.promise("S10")
@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254"),
        *(
            "169.254.169.254",
            "169.254.170.2",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "192.0.0.1",
            "192.0.0.192",
        ),
        *("192.0.2.1", "192.88.99.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250"),
        *("240.0.0.1", "255.255.255.255", "168.63.129.16"),
        *("::", "::1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254"),
        *("64:ff9b::7f00:1", "64:ff9b::169.254.169.254", "64:ff9b:1::8.8.8.8", "2002:7f00:1::", "2002:a9fe:a9fe::1"),
        *(
            "2001::1",
            "2001:0:53aa:64c:0:ffff:80ff:fffe",
            "2001:db8::1",
            "3fff::1",
            "100::1",
            "fc00::1",
            "fd00:ec2::254",
        ),
        *("fe80::1", "fe80::1%lo", "2606:4700::1%lo", "fec0::1", "ff02::1", "4000::1", "5f00::1"),
        *("", "localhost", "127.1", "0177.0.0.1", "0x7f.0.0.1", "2130706433", "127.0.0.1 ", "[::1]"),
    ],
)
def test_what_is_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("8.8.8.8", "93.184.215.14", "1.1.1.1", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "2a00:1450::1"),
        *("::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"),
    ],
)
def test_what_is_public(address):
    assert is_public(address)
