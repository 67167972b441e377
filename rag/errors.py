"""Foreseen errors. The text of each says what happened and to which thing; `cure` is the hint.

    RagError                exit 1   base of all foreseen errors
    ├── Usage               exit 2   a wrong argument, an unknown setting, an unsuitable input file
    ├── NotSetUp            exit 5   something is missing that must be there first
    │   ├── LibraryMissing           no library
    │   └── WeightsMissing           no weights, no model
    ├── Unreadable          exit 1   one file of an ingest that was not added, and why
    ├── LibraryBroken       exit 1   the library fails its checksums, or is of another kind
    ├── LibraryBusy         exit 1   another process is writing
    ├── ModelBroken         exit 1   a model file that llama.cpp cannot load, or a wrong one
    ├── ModelEnded          exit 1   the process of a chat model has ended, or does not answer
    ├── DownloadFailed      exit 1   a model file could not be fetched, or is another one
    ├── ServerFailed        exit 1   the server of a chat model cannot be reached, refuses, or lies
    ├── TooLong             exit 1   the required parts of a prompt exceed the model's context
    └── EngineStopped       exit 1   the child process that runs the models has ended
        └── Cancelled       exit 1   it was ended because the user stopped the work

An abstention is not an error but a result (`domain.Answer.abstained`).
"""


class RagError(Exception):
    """Base of all foreseen errors. ``str(error)`` says what happened.

    `cure` is the next step for the user, a command if there is one; "" for none.
    """

    exit_code = 1

    def __init__(self, what: str, cure: str = "") -> None:
        super().__init__(what)
        self.cure = cure

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return type(self), (str(self), self.cure)


class Usage(RagError):
    """An argument, a setting or an input file is wrong."""

    exit_code = 2


class NotSetUp(RagError):
    """Something is missing that must be there first."""

    exit_code = 5


class LibraryMissing(NotSetUp):
    """There is no library in the home folder."""


class WeightsMissing(NotSetUp):
    """A file of model weights is not on this machine."""


class Unreadable(RagError):
    """One file cannot be added. An ingest reports it with this reason and continues."""


class LibraryBroken(RagError):
    """The library fails its checksums, or another version or embedder made it."""


class LibraryBusy(RagError):
    """Another process has the writer's lock."""


class ModelBroken(RagError):
    """A model file is damaged, incomplete, or not a chat model."""


class ModelEnded(RagError):
    """The process of a chat model has ended by itself, was killed, or gives no answer."""


class DownloadFailed(RagError):
    """A model file could not be fetched, or what was fetched is not the file it should be."""


class ServerFailed(RagError):
    """The server of a chat model cannot be reached, refuses, or sends what cannot be used."""


class TooLong(RagError):
    """The required parts of a prompt exceed the context. The message gives the token counts."""


class EngineStopped(RagError):
    """The engine's process ended during a call."""


class Cancelled(EngineStopped):
    """The work did not stop in time when asked to, so its process was killed. Not a failure."""
