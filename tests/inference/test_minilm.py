"""The same weights in sentence-transformers and llama.cpp agree; a wrong file is refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag.disk import atomic_files
from rag.errors import ModelBroken, TooLong, WeightsMissing
from rag.inference import minilm as embed
from rag.inference import sentence_models, weights
from rag.inference.gguf_writer import convert_to_gguf, write_gguf

TEXTS = [
    line
    for p in sorted((Path(__file__).resolve().parents[2] / "seeds").glob("*.txt"))
    for line in p.read_text("utf-8").split("\n")
    if line
]


@pytest.mark.slow
def test_llama_agrees_with_sentence_transformers(embedder: embed.QuestionEmbedder) -> None:
    reference = sentence_models.open_sentence_transformer(weights.verified_embedder_folder())
    expected = reference.encode(TEXTS, normalize_embeddings=True, show_progress_bar=False)
    cosines = (embedder.embed(TEXTS) * expected).sum(axis=1)
    assert cosines.min() >= 0.9999


@pytest.mark.slow
def test_the_fast_settings_agree_with_the_defaults() -> None:
    reference = sentence_models.open_sentence_transformer(weights.verified_embedder_folder())
    expected = reference.encode(TEXTS, normalize_embeddings=True, show_progress_bar=False)
    cosines = (sentence_models.PassageEmbedder().embed(TEXTS) * expected).sum(axis=1)
    assert cosines.min() >= 0.999


def test_few_passages_are_embedded_without_torch_and_many_with_it() -> None:
    class Machine:
        closed = False

        def __init__(self, said: str) -> None:
            self.said = said
            opened.append(said)

        def embed(self, texts: list[str]) -> list[tuple[str, str]]:
            return [(self.said, text) for text in texts]

        def close(self) -> None:
            opened.append("closed")

    opened: list[str] = []
    ready: Any = embed.PassageEmbedderPair(
        lambda: Machine("few"),  # type: ignore[arg-type,return-value]
        lambda: Machine("many"),  # type: ignore[arg-type,return-value]
    )
    first, second, third = (
        [f"{n} {at}" for at in range(many)] for n, many in enumerate((60, 4, 1))
    )
    assert not opened
    assert ready.embed(first) == [("few", text) for text in first]
    assert ready.embed(second) == [("few", text) for text in second]
    assert opened == ["few"]
    assert ready.embed(third) == [("many", text) for text in third]
    assert opened == ["few", "many", "closed"]
    assert ready.embed(third) == [("many", text) for text in third]
    assert opened == ["few", "many", "closed"]


def test_vectors_are_unit_vectors_in_the_order_of_the_texts(
    embedder: embed.QuestionEmbedder,
) -> None:
    texts = ["a", "b " * 400, "", "\x00", "x" * 5000, "東京", *TEXTS[:40]]
    found = embedder.embed(texts)
    assert found.shape == (len(texts), sentence_models.DIMENSION) and found.dtype == np.float32
    assert np.isfinite(found).all() and np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    for at in (0, 5, 20):
        assert float(embedder.embed([texts[at]])[0] @ found[at]) > 0.9999


def test_the_same_question_has_the_same_bits(embedder: embed.QuestionEmbedder) -> None:
    assert (embedder.embed([TEXTS[3]]) == embedder.embed([TEXTS[3]])).all()


def test_long_texts_are_cut_at_the_limit_and_not_beyond() -> None:
    tokenizer = embed.Tokenizer()
    row = tokenizer.ids(["word " * 1000])[0]
    assert len(row) == sentence_models.MAX_TOKENS and row[-1] == tokenizer.ids(["x"])[0][-1]
    assert tokenizer.count(["Hello world", ""]) == [2, 0]


def test_more_tokens_than_the_encoder_takes_is_an_error(embedder: embed.QuestionEmbedder) -> None:
    with pytest.raises(TooLong):
        embedder._encoder.embed([[101] * 600])


def test_damaged_weights_are_refused_with_both_checksums(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"x" * 100)
    with pytest.raises(ModelBroken) as error:
        weights.verify_file(path, weights.EMBEDDER_FILE.sha256)
    assert weights.EMBEDDER_FILE.sha256 in str(error.value) and atomic_files.sha256(path) in str(
        error.value
    )
    with pytest.raises(WeightsMissing):
        weights.verify_file(tmp_path / "nothing", weights.EMBEDDER_FILE.sha256)


def test_a_damaged_gguf_is_refused(home: Path) -> None:
    path = embed.question_embedder_file(str(home))
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelBroken, match=path.name):
        embed.open_question_embedder(str(home))


def test_converting_leaves_no_torso(tmp_path: Path) -> None:
    folder, target = tmp_path / "model", tmp_path / "out" / "made.gguf"
    folder.mkdir()
    shutil.copy(weights.embedder_folder() / "config.json", folder)
    (folder / "model.safetensors").write_bytes(b"broken")
    with pytest.raises(Exception):  # noqa: B017 - whatever the reader raises, nothing may be left
        convert_to_gguf(folder, target)
    assert not target.exists() and not list(target.parent.glob("*"))
    target.mkdir(parents=True)  # in the way of the file when all of it is written
    with pytest.raises(OSError):
        write_gguf(target, weights.embedder_folder(), "vocabulary only", [], "float16")
    assert list(target.parent.iterdir()) == [target]


def test_a_file_that_cannot_be_made_again_leaves_the_old_one_where_it_was(
    tmp_path: Path,
) -> None:
    path = embed.question_embedder_file(str(tmp_path))
    path.parent.mkdir()
    path.write_bytes(b"the old file")
    path.with_suffix(".json").write_text("{}")

    def full(_: Path, target: Path, *__: object) -> None:
        target.write_bytes(b"half of the new one")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError):
        embed.make_question_embedder(str(tmp_path), full)
    assert {file.name for file in path.parent.iterdir()} == {
        path.name,
        path.with_suffix(".json").name,
    }
    assert path.read_bytes() == b"the old file"
