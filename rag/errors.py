"""The exception tree. Every message names the thing, the value and the mend.

    AdFontesError
    ├── InputError            what the caller gave cannot be used          (HTTP 422)
    │   ├── NotFoundError     a collection, document, reference… by name   (HTTP 404)
    │   ├── DocumentError     a file that cannot be read as a document     (HTTP 422)
    │   │   └── TransientError    … this time; another try may do better   (HTTP 422)
    │   └── FetchError        an address that may or could not be fetched  (HTTP 422)
    ├── SettingsError         a setting's value is wrong                   (start-up)
    ├── IndexMissingError     no generation has been built yet             (HTTP 503)
    ├── IndexDamagedError     a generation fails its checks                (HTTP 503)
    ├── IndexWriteError       index or sources cannot be written: full disk (HTTP 507)
    ├── IndexRejectedError    a new generation does less well than it must  (HTTP 409)
    ├── BusyError             somebody else is writing; try again          (HTTP 409)
    ├── CancelledError        the work was stopped on request
    └── ModelError            an encoder or judge cannot be loaded or run  (HTTP 503)

Parsers are not here: they never raise, they return `(result, problems)`.
"""

from __future__ import annotations

from typing import Literal


class AdFontesError(Exception):
    """Base of all errors that a person can act on."""


class InputError(AdFontesError, ValueError):
    """What the caller gave cannot be used as it is."""


class NotFoundError(InputError):
    """A thing named by the caller does not exist."""


class DocumentError(InputError):
    """A file cannot be read as a document; the message says why and what to do."""


class TransientError(DocumentError):
    """Work on a file was ended by a limit, a signal, or a file that cannot be opened: nothing is said of the file.

    Another try may do better: later, or `at_once` and alone, where the machine may have been at fault.
    """

    def __init__(self, message: str, *, at_once: bool = False) -> None:
        super().__init__(message)
        self.at_once = at_once


FetchFailure = Literal[
    "refused",  # never fetched: scheme, notation, port, credentials, a network that is not public
    "robots",  # the site's robots.txt asks programs to stay away
    "unknown-host",
    "unreachable",
    "tls",
    "timeout",
    "redirects",  # too many, or in a circle
    "status",  # the site answered with an error
    "wait",  # the site asks to come back later
    "wrong-type",
    "too-large",
    "broken",  # cut off, or not what HTTP allows
]


class FetchError(InputError):
    """An address that may not be fetched, or could not be; the message says why.

    `again` tells whether another try may fare better, `retry_after` (seconds) when the site says so, `status` the
    HTTP status where there was one.
    """

    def __init__(
        self, message: str, failure: FetchFailure, *, status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.failure = failure
        self.status = status
        self.retry_after = retry_after

    @property
    def again(self) -> bool:
        """Whether the same address may be had another time."""
        passing = {"unreachable", "timeout", "wait", "unknown-host", "broken"}
        return self.failure in passing or (self.failure == "status" and (self.status or 0) >= 500)


class SettingsError(AdFontesError, ValueError):
    """A setting has a value that cannot be used."""


class IndexMissingError(AdFontesError):
    """The collection has no generation yet."""


class IndexDamagedError(AdFontesError):
    """A generation on disk fails its checks."""


class IndexWriteError(AdFontesError):
    """A generation, or a source of a collection, cannot be written; index and sources are as they were."""


class IndexRejectedError(AdFontesError):
    """A new generation does less well on the collection's judged questions than it must; the live one stays."""


class BusyError(AdFontesError):
    """Another writer holds the collection."""


class CancelledError(AdFontesError):
    """Long work was stopped on request; nothing half-done was published."""


class ModelError(AdFontesError):
    """A model cannot be found, loaded or run."""
