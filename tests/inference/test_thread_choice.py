"""The number of threads of a chat model: measured once, kept, and measured again if that is damaged."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest

from rag.inference import thread_choice
from rag.inference.llama_chat import ChatModel
from rag.inference.weights import models_folder


@pytest.fixture
def chat(tiny: Path) -> Iterator[ChatModel]:
    model = ChatModel(str(tiny), context=256, threads=1)
    yield model
    model.close()


def test_it_is_measured_once(chat: ChatModel, tmp_path: Path) -> None:
    home = str(tmp_path)
    threads = thread_choice.choose_threads(chat, home, "a" * 64)
    assert 1 <= threads <= (os.cpu_count() or 1)
    read = chat.tokens_read
    assert read >= 64
    assert thread_choice.choose_threads(chat, home, "a" * 64) == threads
    assert chat.tokens_read == read
    thread_choice.choose_threads(chat, home, "b" * 64)
    assert chat.tokens_read > read


def test_the_fastest_number_is_taken(chat: ChatModel, tmp_path: Path) -> None:
    seconds = {2: 1.0, 3: 2.0, 4: 9.0}
    asked: list[int] = []

    def measure(_: ChatModel, ids: Sequence[int], threads: int) -> float:
        asked.append(threads)
        return seconds[threads]

    choose = partial(thread_choice.choose_threads, chat, str(tmp_path), "a" * 64, 4, measure)
    assert choose() == 2 and asked == [3, 2, 4]
    assert choose() == 2 and len(asked) == 3


@pytest.mark.parametrize("content", ["", "[]", '{"x": "y"}', "{" * 9999])
def test_a_damaged_record_is_measured_again(chat: ChatModel, tmp_path: Path, content: str) -> None:
    store = models_folder(str(tmp_path)) / "threads.json"
    store.parent.mkdir(parents=True, exist_ok=True)
    store.write_text(content)
    threads = thread_choice.choose_threads(chat, str(tmp_path), "a" * 64)
    assert f'"{"a" * 64} {os.cpu_count()}": {threads}' in store.read_text()


def test_a_number_that_takes_too_long_is_given_up(chat: ChatModel) -> None:
    assert thread_choice.measure_seconds(chat, [1] * 64, 1, limit=-1.0) == float("inf")
    assert thread_choice.measure_seconds(chat, [1] * 64, 1, limit=60.0) < 60
