"""A chat model with real weights: what it reads, how it stops, and what it answers over the seeds.

Without the variable FOOTNOTE_CHAT_MODEL, the path of a .gguf, these tests are skipped.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag import Bot, Config
from rag.answer.excerpts import pick_excerpts
from rag.answer.prompt import Notes, Prompt, build_prompt, build_sentence_prompt
from rag.domain import Passage, Verdict
from rag.inference.llama_chat import ChatModel
from tests.conftest import SEEDS
from tests.support.fakes import WordVectors, passage, quote
from tests.support.narrow import last_answer

pytestmark = pytest.mark.slow

QUESTIONS = {
    "How many individual sanctions has Russia faced?": "5,000",
    "On exactly what day did Russia start its military operation in Ukraine?": "24",
    "Which social media app does Lavrov say the US is using to brainwash kids?": "TikTok",
}


@pytest.fixture(scope="module")
def chat(real_chat_model: str) -> Iterator[ChatModel]:
    model = ChatModel(real_chat_model, context=2048, threads=1)
    yield model
    model.close()


def _passages() -> list[Passage]:
    text = (SEEDS / "000_bac51fb96c89603d.txt").read_text(encoding="utf-8")
    return [passage(n + 1, text[n * 900 : (n + 1) * 900], title="News") for n in range(5)]


def _prompt(chat: ChatModel, question: str, kept: Notes | None = None) -> Prompt:
    passages = _passages()
    quotes = [quote(p, p.chunk.text[100:140]) for p in passages[:1]]
    excerpts = pick_excerpts(question, quotes, passages, WordVectors().similar)
    return build_prompt(question, excerpts, passages, chat, 420, 120, kept)


def _greedy(chat: ChatModel, ids: tuple[int, ...], many: int = 16) -> str:
    for _ in chat.read(ids):
        pass
    return "".join(chat.write(many, 0.0, 0))


def test_greedy_text_is_the_same_with_and_without_the_cache(chat: ChatModel) -> None:
    first = _prompt(chat, "How many individual sanctions has Russia faced?")
    again = build_sentence_prompt("How many?", "It has faced 5,000.", first.notes, chat, 80)
    chat.forget()
    with_cache = [_greedy(chat, first.ids), _greedy(chat, again), _greedy(chat, first.ids)]
    chat.forget()
    alone = _greedy(chat, again)
    assert with_cache[0] == with_cache[2] and with_cache[1] == alone


def test_a_first_prompt_and_a_follow_up_are_short(chat: ChatModel) -> None:
    first = _prompt(chat, "How many individual sanctions has Russia faced?")
    assert len(first.ids) <= 450
    chat.forget()
    before = chat.tokens_read
    _greedy(chat, first.ids, 4)
    read_first = chat.tokens_read - before
    follow = _prompt(chat, "Which countries had fewer sanctions?", first.notes)
    before = chat.tokens_read
    _greedy(chat, follow.ids, 4)
    assert chat.tokens_read - before <= 0.25 * read_first + 64


def test_it_stops_while_it_reads(chat: ChatModel) -> None:
    ids = _prompt(chat, "How many individual sanctions has Russia faced?").ids
    chat.forget()
    asked_at = time.monotonic() + 0.05
    pieces = list(chat.read(ids, lambda: time.monotonic() > asked_at))
    assert time.monotonic() - asked_at < 2.0  # 0.3 on a computer that does nothing else
    assert not pieces or pieces[-1] < len(ids)


def test_it_answers_over_the_seeds(seeded: Path, real_chat_model: str) -> None:
    with Bot.open(Config(home=str(seeded), model=real_chat_model, answer_tokens=160)) as bot:
        for question, expected in QUESTIONS.items():
            answer = last_answer(bot.ask(question, save=False))
            assert not answer.abstained and expected in answer.text
            assert {claim.verdict for claim in answer.claims} == {Verdict.SUPPORTED}
            assert answer.receipt.system + answer.receipt.passages <= 450
            assert not re.search(r"<\||\|>|Passage \d", answer.text)
            numbers = {c.number for claim in answer.claims for c in claim.sentence.citations}
            assert numbers <= {p.number for p in answer.passages}
