"""Send a message through the shop's mail server, encrypted wherever a password or another machine is concerned."""

from __future__ import annotations

import smtplib
import socket
import ssl
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from catalog.errors import BadInput

LOCAL = ("localhost", "127.0.0.1", "::1")
STEP_S, WHOLE_S = 20.0, 60.0  # for one answer of the server, and for all of a sending
HINT = "For example smtps://user:password@mail.example.com:465, or smtp://localhost:25."


class MailFailed(Exception):
    """The mail server did not take the message; the text says why, without addresses and passwords."""


@dataclass(frozen=True, slots=True, repr=False)
class MailServer:
    """A mail server: `is_secure` is TLS from the beginning; else STARTTLS is used wherever it is needed or offered."""

    is_secure: bool
    host: str
    port: int
    user: str
    password: str

    @classmethod
    def read(cls, address: str) -> MailServer:
        """Return the server of an address smtp(s)://user:password@host:port. Raises BadInput, which names no secret."""
        try:
            parts = urlsplit(address)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise BadInput("The address of the mail server cannot be read.", HINT) from None
        if parts.scheme not in ("smtp", "smtps") or not host or parts.path not in ("", "/") or parts.query:
            raise BadInput("The address of the mail server is none of the form smtp://host:port.", HINT)
        secure = parts.scheme == "smtps"
        return cls(
            secure, host, port or (465 if secure else 587), unquote(parts.username or ""), unquote(parts.password or "")
        )

    def send(self, message: EmailMessage, sender: str, recipients: Sequence[str]) -> None:
        """Send a message. Raises MailFailed unless the server took it for at least one recipient."""
        try:
            server = self._connected()
            watch = threading.Timer(WHOLE_S, _cut, (server,))
            watch.daemon = True
            watch.start()
            try:
                self._greet(server)
                server.send_message(message, sender, list(recipients))
                with suppress(OSError, smtplib.SMTPException):  # the message was taken, whatever follows
                    server.quit()
            finally:
                watch.cancel()
                server.close()
        except smtplib.SMTPResponseException as error:
            raise MailFailed(f"The mail server answered {error.smtp_code}.") from error
        except (
            OSError,
            smtplib.SMTPException,
            ValueError,
            AttributeError,
        ) as error:  # AttributeError: cut by the timer
            raise MailFailed(f"The mail server cannot be used: {type(error).__name__}.") from error

    def _connected(self) -> smtplib.SMTP:
        if self.is_secure:
            return smtplib.SMTP_SSL(self.host, self.port, timeout=STEP_S, context=ssl.create_default_context())
        return smtplib.SMTP(self.host, self.port, timeout=STEP_S)

    def _greet(self, server: smtplib.SMTP) -> None:
        server.ehlo_or_helo_if_needed()
        if not self.is_secure and self.host not in LOCAL:
            if not server.has_extn("starttls"):
                raise MailFailed("The mail server offers no encryption.")
            server.starttls(context=ssl.create_default_context())
            server.ehlo()
        if self.user:
            server.login(self.user, self.password)


def _cut(server: smtplib.SMTP) -> None:
    """End a connection that takes too long, however slowly bytes still come."""
    sock = server.sock
    if isinstance(sock, socket.socket):
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
