"""The saved conversations as a user finds them again: search, titles, verdict totals, removal.

What a list shows of a turn (its words for the search, its verdicts) is kept in a table of its own,
made from the saved answer when a list first needs it. A search compares the words one after
another: in 10,000 turns that takes a few hundredths of a second, finds parts of words too, and
leaves no index that could disagree with the answers.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from rag.disk.disk_errors import disk_errors_named
from rag.domain import Conversation, SavedTurn, Verdict
from rag.errors import RagError, Usage
from rag.export.saved_answer import read_answer
from rag.library.history import FILE, History

TABLES = (
    "CREATE TABLE IF NOT EXISTS titles(conversation TEXT PRIMARY KEY, title TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS summaries(number INTEGER PRIMARY KEY, words TEXT NOT NULL, "
    "verdicts TEXT NOT NULL, unanswered INTEGER NOT NULL)",
)
#: characters of a title, and of the words that are looked for
MAX_TITLE_CHARS = 200
#: turns whose summaries are made in one transaction
_BATCH = 200
_VALID = "typeof(conversation) = 'text' AND typeof(asked) = 'text' AND typeof(question) = 'text'"
_NAMES_CURE = "footnote history shows them all"


class _Summary(NamedTuple):
    """What a list shows of a turn. `words` are folded to lower case, `verdicts` is JSON."""

    number: int
    words: str
    verdicts: str
    unanswered: int


class _Head(NamedTuple):
    """A turn without its answer."""

    number: int
    conversation: str
    asked: str
    question: str


class Conversations:
    """The conversations of an open history."""

    def __init__(self, history: History) -> None:
        self._history, self._database = history, history.database

    def find(self, words: str = "", limit: int = 50) -> list[Conversation]:
        """Return the conversations with all of `words`, newest first; all without words.

        Each word stands in a question, an answer, a file name or the title; case is ignored.
        """
        wanted = words[:MAX_TITLE_CHARS].casefold().split()
        summaries, titles = self._summaries(), self._titles()
        found = []
        for name, heads in self._newest_first():
            title = titles.get(name) or heads[0].question
            parts = [summaries[head.number] for head in heads if head.number in summaries]
            text = "\n".join([title.casefold(), *(part.words for part in parts)])
            if all(word in text for word in wanted):
                found.append(_conversation(name, title, heads, parts))
            if len(found) == limit:
                break
        return found

    def resolve(self, name: str) -> str:
        """Return the id that `name` is, or begins. Raises `Usage` if none or several do."""
        names = {each for each, _ in self._newest_first()}
        fitting = [name] if name in names else [each for each in names if each.startswith(name)]
        if name and len(fitting) == 1:
            return fitting[0]
        problem = "several conversations begin with" if len(fitting) > 1 else "no conversation has"
        raise Usage(f"{problem} the id {name!r}", _NAMES_CURE)

    def turns(self, conversation: str, last: int = 0) -> list[SavedTurn]:
        """Return the turns of a conversation, oldest first; only the `last` ones if it is not 0.

        Raises `LibraryBroken` for a saved answer that has changed.
        """
        rows = self._history.turn_rows(conversation)
        times = Counter(row.question for row in rows)
        so_far = Counter[str]()
        turns = []
        for number, row in enumerate(rows):
            so_far[row.question] += 1
            if last and number < len(rows) - last:
                continue
            saved = json.loads(row.answer) if row.answer else None
            answer = read_answer(saved, row.question) if isinstance(saved, dict) else None
            place = so_far[row.question], times[row.question]
            turns.append(SavedTurn(row.number, row.question, row.asked, answer, *place))
        return turns

    def title(self, conversation: str) -> str:
        """Return the title of a conversation: the user's, or its first question."""
        given = self._titles().get(conversation)
        row = self._rows(
            f"SELECT question FROM turns WHERE conversation = ? AND {_VALID} "  # noqa: S608
            "ORDER BY number LIMIT 1",
            conversation,
        )
        return given or (row[0][0] if row else "")

    def rename(self, conversation: str, title: str) -> None:
        """Give a conversation a title; "" returns to its first question."""
        title = " ".join(title.split())[:MAX_TITLE_CHARS].encode("utf-8", "replace").decode()
        with self._database.writing():
            self._create_tables()
            if title:
                self._database.execute(
                    "INSERT OR REPLACE INTO titles VALUES (?, ?)", (conversation, title)
                )
            else:
                self._delete_title(conversation)

    def remove(self, conversation: str) -> int:
        """Remove a conversation; return the number of its turns. Their bytes are overwritten."""
        self._database.execute("PRAGMA secure_delete = ON")
        with self._database.writing():
            self._create_tables()
            self._delete_title(conversation)
            self._database.execute(
                "DELETE FROM summaries WHERE number IN "
                "(SELECT number FROM turns WHERE conversation = ?)",
                (conversation,),
            )
            removed = self._database.execute(
                "DELETE FROM turns WHERE conversation = ?", (conversation,)
            ).rowcount
        with suppress(sqlite3.Error):  # a reader may keep the old pages for a while
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return removed

    # -- rows

    def _newest_first(self) -> Iterator[tuple[str, list[_Head]]]:
        """Yield the conversations and their turns, those of the newest turn first."""
        select = (
            "SELECT number, conversation, asked, question FROM turns "  # noqa: S608
            f"WHERE {_VALID}"
        )
        heads = sorted(map(_Head._make, self._rows(select)), key=lambda h: (h.conversation, h[0]))
        groups = [(name, list(part)) for name, part in groupby(heads, lambda h: h.conversation)]
        yield from sorted(groups, key=lambda group: -group[1][-1].number)

    def _titles(self) -> dict[str, str]:
        if not self._has_table("titles"):
            return {}
        select = "SELECT conversation, title FROM titles WHERE typeof(title) = 'text'"
        return dict(self._rows(select))

    def _summaries(self) -> dict[int, _Summary]:
        """Return the summaries of all turns. Missing ones are made, and kept if they are final."""
        kept = {}
        if self._has_table("summaries"):
            rows = map(_Summary._make, self._rows("SELECT * FROM summaries"))
            kept = {row.number: row for row in rows if isinstance(row.words, str)}
        select = f"SELECT number FROM turns WHERE {_VALID}"  # noqa: S608
        numbers = [number for (number,) in self._rows(select)]
        missing = [number for number in numbers if number not in kept]
        for start in range(0, len(missing), _BATCH):
            made, final = self._summarize(missing[start : start + _BATCH])
            kept |= {summary.number: summary for summary in made}
            self._keep(final)
        return kept

    def _summarize(self, numbers: Sequence[int]) -> tuple[list[_Summary], list[_Summary]]:
        """Return the summaries of turns, and those of them that will not change."""
        marks = ", ".join("?" * len(numbers))
        select = (
            "SELECT number, question, answer FROM turns "  # noqa: S608
            f"WHERE number IN ({marks})"
        )
        made, final = list[_Summary](), list[_Summary]()
        for number, question, answer in self._rows(select, *numbers):
            saved = _parse(answer)
            made.append(_summary(number, question, saved))
            if saved and not saved.get("unfinished"):
                final.append(made[-1])
        return made, final

    def _keep(self, summaries: Sequence[_Summary]) -> None:
        """Store summaries. A file that cannot be written now keeps none."""
        if not summaries:
            return
        with suppress(RagError), self._database.writing():
            self._create_tables()
            self._database.executemany(
                "INSERT OR REPLACE INTO summaries VALUES (?, ?, ?, ?)", summaries
            )

    def _create_tables(self) -> None:
        for statement in TABLES:
            self._database.execute(statement)

    def _delete_title(self, conversation: str) -> None:
        self._database.execute("DELETE FROM titles WHERE conversation = ?", (conversation,))

    def _has_table(self, name: str) -> bool:
        select = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
        return bool(self._rows(select, name))

    def _rows(self, select: str, *values: Any) -> list[Any]:
        with disk_errors_named(self._database.path.parent, FILE):
            return self._database.execute(select, values).fetchall()


def _conversation(
    name: str, title: str, heads: Sequence[_Head], parts: Iterable[_Summary]
) -> Conversation:
    """Return the entry of a list; the verdicts of its turns are summed."""
    total, unanswered = Counter[str](), 0
    for part in parts:
        counts = _parse(part.verdicts)
        total.update({key: n for key, n in counts.items() if type(n) is int})
        unanswered += bool(part.unanswered)
    verdicts = tuple((verdict, total[verdict]) for verdict in Verdict if total[verdict])
    return Conversation(name, title, heads[-1].asked, len(heads), verdicts, unanswered)


def _summary(number: int, question: str, saved: dict[str, Any]) -> _Summary:
    """Return what a list shows of a turn: question, answer, cited file names, verdicts."""
    answer = saved.get("answer")
    claims = [claim for claim in _list(saved, "claims") if isinstance(claim, dict)]
    places = [place for claim in claims for place in _list(claim, "citations")]
    sources = dict.fromkeys(
        place["source"]
        for place in places
        if isinstance(place, dict) and isinstance(place.get("source"), str)
    )
    text = "\n".join([question, answer if isinstance(answer, str) else "", *sources])
    verdicts = Counter(str(claim.get("verdict")) for claim in claims)
    unanswered = int(bool(saved.get("abstained")))
    return _Summary(number, text.casefold(), json.dumps(verdicts), unanswered)


def _list(value: dict[str, Any], name: str) -> list[Any]:
    found = value.get(name)
    return found if isinstance(found, list) else []


def _parse(text: object) -> dict[str, Any]:
    """Return an object of JSON; {} for anything else."""
    if not isinstance(text, str | bytes):
        return {}
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def copy_titles(source: Path, target: Path) -> None:
    """Copy the titles of one history file to another; none if they cannot be read."""
    with suppress(sqlite3.Error, OSError), closing(sqlite3.connect(target)) as db:
        db.execute("ATTACH ? AS old", (str(source),))
        with db:
            db.execute(TABLES[0])
            db.execute(
                "INSERT OR IGNORE INTO titles SELECT conversation, title FROM old.titles "
                "WHERE typeof(conversation) = 'text' AND typeof(title) = 'text'"
            )
