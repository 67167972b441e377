"""What can go wrong, as sentences for a person: what happened, to which thing, and what to do next.

    RagError                     exit 1   anything we foresaw
    ├── Usage                    exit 2   a wrong argument, an unknown key, a file that cannot be read as asked
    ├── NotSetUp                 exit 5   nothing to look in, no weights, no model
    │   ├── LibraryMissing
    │   └── WeightsMissing
    ├── Unreadable               exit 1   one file of an ingest, and why it is not in
    ├── LibraryBroken            exit 1   the library does not match its own checksums, or is of another kind
    ├── LibraryBusy              exit 1   another process is writing
    ├── ModelBroken              exit 1   a model file that llama.cpp will not take, or that is not what it should be
    ├── TooLong                  exit 1   what must be in the prompt does not fit into the model's context
    └── EngineStopped            exit 1   the child process that runs the models has ended
        └── Cancelled            exit 1   it was ended because somebody asked the work to stop

An abstention is not here: a refusal to answer is a result (`domain.Answer.abstained`).
"""


class RagError(Exception):
    """Base of all foreseen errors. ``str(error)`` is what happened; `cure` is the next step, a command where one helps."""

    exit_code = 1

    def __init__(self, what: str, cure: str = "") -> None:
        super().__init__(what)
        self.cure = cure

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return type(self), (str(self), self.cure)


class Usage(RagError):
    """The words of a command, a setting or an input file are off."""

    exit_code = 2


class NotSetUp(RagError):
    """Something that must be there first is not there yet."""

    exit_code = 5


class LibraryMissing(NotSetUp):
    """There is no library in the home folder."""


class WeightsMissing(NotSetUp):
    """A file of model weights is not on this machine."""


class Unreadable(RagError):
    """One file cannot be taken in. An ingest lists it with this reason and goes on."""


class LibraryBroken(RagError):
    """The library's own checksums do not hold, or it was made by another version or embedder."""


class LibraryBusy(RagError):
    """Another process holds the writer's lock."""


class ModelBroken(RagError):
    """A model file is damaged, incomplete, or not a chat model."""


class TooLong(RagError):
    """The parts of a prompt that cannot be dropped are larger than the context. The message says the numbers."""


class EngineStopped(RagError):
    """The engine's process ended while it was needed."""


class Cancelled(EngineStopped):
    """The work was asked to stop, did not in time, and its process was ended. Nothing is wrong."""
