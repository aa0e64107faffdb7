"""The backend of `DATABASES`: Django's own, but that a check of a kept session costs no trip."""

from __future__ import annotations

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """A session between two calls has something to read only where the server spoke unasked.

    That is mostly its farewell, and then, or after an error, the server is asked. A call would
    otherwise begin with a question of its own, and wait for the answer.
    """

    def is_usable(self) -> bool:
        if self.connection is None:
            return False
        if self.errors_occurred or self._has_something_to_read():
            return bool(super().is_usable())
        return True

    def _has_something_to_read(self) -> bool:
        if self.connection.closed:
            return True
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN)
        return bool(poll.poll(0))
