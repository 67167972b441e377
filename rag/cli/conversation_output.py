"""Prints conversations and the findings of a verification. Foreign text is sanitized."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import click

from rag.domain import Conversation, FileState, SavedTurn, Verdict
from rag.export.footnotes import CitedTurn, Piece, cite_turns, place_of
from rag.export.verify import Finding, InSource
from rag.phrases import FILE_STATE_PHRASES, VERDICT_PHRASES
from rag.text.foreign_marks import indented_rows, quote_foreign

#: What holds of a footnote, in words.
_IN_SOURCE = {
    InSource.HOLDS: "in the source",
    InSource.ELSEWHERE: "the source has changed, the words still stand in it",
    InSource.MISSING: "NOT in the source",
    InSource.NOT_AT_HAND: "the source is not at hand",
}


def local_time(asked: str) -> str:
    """Return a saved time in the time zone of this machine; as it is if it is no time."""
    try:
        return datetime.fromisoformat(asked).astimezone().strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return quote_foreign(asked)


def verdict_totals(conversation: Conversation) -> str:
    """Return the verdicts of a conversation in words."""
    parts = [
        f"{count} {VERDICT_PHRASES[verdict]}"
        for verdict, count in conversation.verdicts
        if verdict is not Verdict.NEEDS_NONE
    ]
    if conversation.unanswered:
        parts.append(f"{conversation.unanswered} not answered")
    return ", ".join(parts)


def print_conversations(found: Sequence[Conversation]) -> None:
    """Print one line a conversation, newest first, and a line of its verdicts."""
    for conversation in found:
        turns = "1 question" if conversation.turns == 1 else f"{conversation.turns} questions"
        head = f"{quote_foreign(conversation.id)}  {local_time(conversation.asked)}  {turns}"
        click.echo(f"{head}  {quote_foreign(conversation.title)}")
        if totals := verdict_totals(conversation):
            click.echo(f"    {totals}")


def print_conversation(
    title: str, turns: Sequence[SavedTurn], states: Mapping[tuple[str, str], FileState]
) -> None:
    """Print the questions and answers with their footnotes, then the files that have changed."""
    click.echo(quote_foreign(title))
    for turn in cite_turns(turns):
        _print_turn(turn)
    for (_, source), state in states.items():
        if state is not FileState.SAME:
            click.echo(f"\n! {quote_foreign(source)}: {FILE_STATE_PHRASES[state]}")


def _print_turn(turn: CitedTurn) -> None:
    known = (local_time(turn.asked), turn.label, quote_foreign(turn.looked_up))
    about = " · ".join(part for part in known if part)
    click.echo(f"\n> {quote_foreign(turn.question)}  ({about})\n")
    text = "".join(map(_piece, turn.pieces))
    if text.strip():
        click.echo("\n".join(indented_rows(text)) + "\n")
    for notice in turn.notices:
        click.echo(notice)
    for note in turn.footnotes:
        words = "" if note.is_repeated else " … ".join(quote_foreign(e.text) for e in note.evidence)
        quote = f"“{words}” " if words else ""
        click.echo(f"[{note.number}] {quote}{place_of(note)}")


def _piece(piece: Piece) -> str:
    return piece.own or "".join(f"[{number}]" for number in piece.notes) or piece.foreign


def print_findings(findings: Sequence[Finding], without_quote: int = 0) -> None:
    """Print what holds of each footnote, and lines about all of them.

    `without_quote` is the number of sentences that have no quote.
    """
    for finding in findings:
        sign = "holds  " if finding.ok else "FAILS  "
        click.echo(f"{sign}question {finding.turn}, {_place_in_bundle(finding)}")
        if not finding.ok and finding.quote:
            click.echo(f"       “{quote_foreign(finding.quote)}”")
    held, count = sum(finding.ok for finding in findings), len(findings)
    if held == count:
        click.echo("there are no footnotes" if not count else f"all {count} footnotes hold")
    else:
        click.echo(f"{count - held} of {count} footnotes do not hold")
    own = len({(f.turn, f.claim) for f in findings if f.quote and not f.is_quotation})
    if own:
        says = "1 sentence is" if own == 1 else f"{own} sentences are"
        click.echo(f"{says} in the writer's own words, whose verdicts are not checked again")
    if without_quote:
        says = "1 sentence has" if without_quote == 1 else f"{without_quote} sentences have"
        click.echo(f"{says} no footnote")


def _place_in_bundle(finding: Finding) -> str:
    """Return which footnote it is, and what holds of it."""
    where = f"sentence {finding.claim}" if finding.claim else "outside of every sentence"
    if not finding.quote and finding.problem:
        number = f", [{finding.n}]" if finding.n else ""
        return f"{where}{number}: {finding.problem}"
    source, found_in = quote_foreign(finding.source), quote_foreign(finding.found_in)
    parts = [
        "in the passage" if finding.in_passage else "NOT in the passage",
        _IN_SOURCE[finding.in_source],
    ]
    if found_in and not f"/{found_in}".endswith(f"/{source}"):
        parts[-1] += f", which is {found_in} here"
    parts += [finding.problem] if finding.problem else []
    return f"{where}, [{finding.n}] {source}:{finding.line}: {'; '.join(parts)}"
