"""The line mode: a prompt, an answer in lines of plain text, and a few commands of the chat.

It writes from top to bottom and never moves the cursor, for screen readers and slow lines. Through
a pipe it answers each line. Ctrl+C stops the answer, ctrl+d ends.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

import click

from rag import limits
from rag.cli.stop_request import stop_on_interrupt
from rag.errors import RagError, Usage
from rag.phrases import HINT
from rag.text.foreign_marks import quote_foreign
from rag.text.sanitize import sanitize_line

if TYPE_CHECKING:
    from rag.bot import Bot
    from rag.domain import Answer
    from rag.events import Event

PROMPT = "footnote> "
#: each command, what follows it, and what it does; as in the chat where the chat has it
COMMANDS: dict[str, tuple[str, str]] = {
    "help": ("", "list the commands"),
    "why": ("", "each sentence of the last answer with its verdict, score and reasons"),
    "open": ("N", "print source N of the last answer"),
    "sources": ("", "list the sources of the last answer"),
    "again": ("", "ask the last question again"),
    "add": ("PATH", "add a file or a folder"),
    "model": ("NAME", 'let another model answer; "reader" is the built-in one'),
    "export": ("FILE", "write this conversation to FILE.md, FILE.html or FILE.json"),
    "new": ("", "begin a new conversation"),
    "quit": ("", "end; so does ctrl+d"),
}
#: earlier questions that the arrow keys bring back
_MAX_EARLIER = 200


class LineMode:
    """One session. `quiet` prints no progress; `within` as in `Bot.ask`."""

    def __init__(
        self,
        bot: Bot,
        conversation: str | None = None,
        within: Sequence[str] = (),
        quiet: bool = False,
        typed: TextIO | None = None,
    ) -> None:
        """`typed` is where questions are read from, by default standard input."""
        self._typed = typed or sys.stdin
        self._bot, self._within, self._quiet = bot, within, quiet
        self._conversation = conversation
        self._question = ""
        self._answer: Answer | None = None
        self._is_typed = self._typed.isatty()
        self._failed = False

    def run(self, first: str = "") -> int:
        """Answer `first` and then each line until the end; return 1 if something has failed."""
        if self._is_typed:
            self._remember()
            self._say("Type a question and press Enter. /help lists the commands, ctrl+d ends.")
        for line in self._lines(first):
            try:
                if line == "/quit":
                    break
                self._do(line)
            except KeyboardInterrupt:
                self._say("interrupted")
            except RagError as error:
                self._failed = True
                hint = f" {HINT} {quote_foreign(error.cure)}" if error.cure else ""
                self._print(f"Error: {quote_foreign(str(error))}.{hint}")
        return int(self._failed)

    # -- lines in and out

    def _lines(self, first: str) -> Iterator[str]:
        """Yield what is asked, without blank lines."""
        if first:
            yield first
        while True:
            try:
                line = self._typed_line() if self._is_typed else self._piped_line()
            except KeyboardInterrupt:
                self._say("\nctrl+d or /quit ends")
                continue
            except EOFError:
                if self._is_typed:
                    self._say("")
                return
            if line.strip():
                yield line.strip()

    def _typed_line(self) -> str:
        if not sys.stdout.isatty():
            click.echo(PROMPT, nl=False, err=True)
            return input()
        return input(PROMPT)

    def _piped_line(self) -> str:
        """Read a line of a pipe, and print it: the output then reads as a conversation."""
        most = 4 * limits.MAX_QUESTION_CHARS
        read = self._typed.buffer.readline(most + 1)
        if not read:
            raise EOFError
        while len(read) > most and not read.endswith(b"\n"):
            rest = self._typed.buffer.readline(most)
            if not rest or rest.endswith(b"\n"):
                break
        line = read[: most + 1].decode("utf-8", "replace").strip()
        if line:
            self._print(f"\n{PROMPT}{sanitize_line(line[: limits.MAX_QUESTION_CHARS])}")
        return line

    def _remember(self) -> None:
        """Let the arrow keys bring back earlier questions, if this Python has readline."""
        with suppress(ImportError, RagError):
            import readline

            readline.set_auto_history(True)
            for question in reversed(self._bot.questions(_MAX_EARLIER)):
                readline.add_history(sanitize_line(" ".join(question.split())))

    def _print(self, *lines: str) -> None:
        for line in lines:
            click.echo(line)
        sys.stdout.flush()

    def _say(self, text: str) -> None:
        """Print a line about what happens on stderr."""
        if not self._quiet:
            click.echo("\n".join(map(sanitize_line, text.split("\n"))), err=True)

    # -- questions and commands

    def _do(self, line: str) -> None:
        """Ask a question, or run a command."""
        name, _, argument = line[1:].partition(" ")
        if not line.startswith("/") or not name.isalpha():
            self._ask(line)
        elif name not in COMMANDS:
            raise Usage(f"/{name} is no command", "/help lists them")
        else:
            run: Callable[[str], None] = getattr(self, f"_{name}")
            run(argument.strip())

    def _ask(self, question: str) -> None:
        from rag.cli.line_output import answer_lines
        from rag.cli.output import Streamed
        from rag.events import Answered, Token

        self._conversation = self._conversation or self._bot.new_conversation()
        self._question = question
        streamed = Streamed(lambda text: click.echo(text, nl=False))
        is_streamed = sys.stdout.isatty()
        with stop_on_interrupt() as stop:
            events = self._bot.ask(question, self._conversation, within=self._within, stop=stop)
            for event in events:
                if isinstance(event, Answered):
                    if is_streamed:
                        streamed.end()
                        self._print(*([""] if event.answer.text else []))
                    self._answer = event.answer
                    self._print(*answer_lines(event.answer, is_streamed))
                elif isinstance(event, Token) and is_streamed:
                    streamed.add(event)
                else:
                    self._tell(event)

    def _tell(self, event: Event) -> None:
        """Say what is being done, in few lines: each is read out."""
        from rag.events import Added, Failed, Loading, ModelChosen, Notice, Report

        if isinstance(event, Loading):
            self._say(f"opening {event.what}")
        elif isinstance(event, Notice):
            self._say(event.says)
        elif isinstance(event, ModelChosen):
            self._print(f"{quote_foreign(event.model)} answers from the next question on.")
        elif isinstance(event, Failed):
            self._say(f"not added: {event.source}: {event.reason}")
        elif isinstance(event, Added) and event.done in (1, event.total):
            self._say(f"{event.done:,} of {event.total:,} files")
        elif isinstance(event, Report):
            counts = f"{len(event.added):,} documents added, {event.unchanged:,} unchanged"
            self._print(f"{counts}, {len(event.failed):,} failed.")

    def _last(self) -> Answer:
        if self._answer is None:
            raise Usage("there is no answer yet", "ask a question first")
        return self._answer

    def _help(self, _: str) -> None:
        self._print("Ask a question, or:")
        for name, (takes, does) in COMMANDS.items():
            self._print(f"  {f'/{name} {takes}'.strip()}: {does}")
        self._print('@name in a question looks in one document: "What does it cost? @prices.pdf"')
        self._print("ctrl+c stops the answer and keeps what was written.")

    def _why(self, _: str) -> None:
        from rag.cli.line_output import reason_lines

        self._print(*reason_lines(self._last()))

    def _open(self, number: str) -> None:
        from rag.cli.line_output import source_lines

        if not (number.isascii() and number.isdigit() and len(number) < 5):
            raise Usage("/open takes the number of a source", "/open 1")
        self._print(*source_lines(self._last(), int(number)))

    def _sources(self, _: str) -> None:
        from rag.cli.line_output import list_sources

        self._print(*list_sources(self._last()))

    def _again(self, _: str) -> None:
        if not self._question:
            raise Usage("there is no question yet", "ask one")
        self._ask(self._question)

    def _add(self, path: str) -> None:
        if not path:
            raise Usage("/add takes a file or a folder", "/add PATH")
        with stop_on_interrupt() as stop:
            events = self._bot.add([path])
            for event in events:
                self._tell(event)
                if stop():
                    events.close()  # type: ignore[attr-defined]
                    self._say("stopped; documents added so far are in")
                    return

    def _model(self, name: str) -> None:
        if not name:
            self._print(f"{quote_foreign(self._bot.status().model)} answers.")
            return
        for event in self._bot.use_model(name):
            self._tell(event)

    def _export(self, path: str) -> None:
        from rag.export.bundle import FORMATS, export_conversation, write_export

        if self._conversation is None or self._answer is None:
            raise Usage("there is nothing to export yet", "ask a question first")
        form = next((form for form, (end, _) in FORMATS.items() if path.endswith(end)), "")
        if not form:
            raise Usage("the file must end in .md, .html or .json", "/export answers.md")
        title = self._bot.conversation_title(self._conversation)
        turns = self._bot.conversation(self._conversation)
        text = export_conversation(form, self._conversation, title, turns)
        self._print(f"written: {quote_foreign(str(write_export(text, form, path, 'the export')))}")

    def _new(self, _: str) -> None:
        self._conversation = self._answer = None
        self._print("A new conversation.")
