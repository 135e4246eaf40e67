"""A mail server on loopback that keeps what it is sent, and can be told to refuse."""
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class _OnTheFirstFreePort(Controller):
    """aiosmtpd asks port 0 whether it is up; tell it the port it was given."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class Mailbox:
    """A running mail server; use it as a context manager.

    `messages` holds what arrived, oldest first. Replies put into `refusals` (such as "451 try later") are
    given to the next messages, one each, instead of accepting them.
    """

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.refusals: list[str] = []
        self._arrived = threading.Condition()
        self._controller = _OnTheFirstFreePort(self, hostname="127.0.0.1", port=0)

    def __enter__(self) -> "Mailbox":
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    @property
    def url(self) -> str:
        """The `smtp_url` setting that reaches this server."""
        return f"smtp://127.0.0.1:{self._controller.port}"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """aiosmtpd's door: answer with the SMTP reply."""
        if self.refusals:
            return self.refusals.pop(0)
        content: Any = envelope.content
        with self._arrived:
            self.messages.append(message_from_bytes(content, policy=policy.default))
            self._arrived.notify_all()
        return "250 OK"

    def wait_for(self, count: int, seconds: float = 20) -> list[EmailMessage]:
        """The messages once there are at least `count`; raises TimeoutError."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self.messages) >= count, seconds):
                raise TimeoutError(f"{len(self.messages)} of {count} messages arrived within {seconds} s")
            return list(self.messages)
