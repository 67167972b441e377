"""The built-in reader: numpy and llama.cpp agree with torch, and its file keeps the weights.

The network of these tests has random weights, changed so that it answers every question with the
words from "lighthouse" to "keeper" and finds its evidence at "harbor". So a test knows the expected
position of each pointer.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of
from numpy.typing import NDArray

from rag.disk import atomic_files
from rag.domain import Span
from rag.errors import ModelBroken, TooLong, WeightsMissing
from rag.inference import weights
from rag.inference.crossencoder import HEADS, MAX_TOKENS, POINTERS, CrossEncoder, Layout, Pieces
from rag.inference.gguf_arrays import METADATA_PREFIX, read_arrays
from rag.inference.gguf_writer import QUANTISATIONS, write_gguf
from rag.inference.llama import Encoder, TokenEncoder
from rag.inference.minilm import Tokenizer
from rag.text.sentences import split_sentences
from tests.support.examples import examples

ANSWER, EVIDENCE = "lighthouse keeper", "harbor"
FIT = [0.5, -1.25, 3.0, 0.75]
PAIRS = [
    (
        "Who keeps the bridge?",
        "The old bridge is kept by a guard. He sleeps at noon, near the lighthouse.",
    ),
    ("Bridges", "A harbor, 7 boats; 😀 東京 and nothing else (so far)."),
    (
        "",
        "No question was asked of this passage, "
        "which is a little longer than the others, and says nothing much.",
    ),
    ("why " * 300, "Because it rains. " * 12),
    ("One word?", "lighthouse"),
]
ODD = [
    "",
    " ",
    "😀",
    "東京は日本の首都です。",
    "?!… — ()",
    "\x00",
    "e\u0301",
    "\u0301",
    "x" * 3000,
    "👩‍🚀 ❤️",
    "ßÅﬀ①",
]
PARTS = st.sampled_from(
    "a|B| |\n|.|don't|lighthouse|light|harbor-side|9,000|12%|"
    "é|e\u0301|İ|ﬀ|😀|👩‍🚀|東京|ひ|के|\u200b|\u00ad|\x00|_|##ing|[SEP]|ﷺ".split("|")
)
TEXTS = st.one_of(st.lists(PARTS, max_size=30).map("".join), st.text(max_size=60))


@dataclass(frozen=True)
class Planted:
    """The network in torch, its two files, and their tokenizer."""

    network: Any
    float16: Path
    q8_0: Path
    machine: Any


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    import torch

    from rag.training.export import export_model
    from rag.training.network import Network

    torch.manual_seed(0)
    network, machine = Network().eval(), Tokenizer().machine
    with torch.no_grad():
        for word, row in zip([*ANSWER.split(), EVIDENCE], (0, 1, 3), strict=True):
            at = machine.token_to_id(word)
            network.trunk.words.weight[at] *= (
                6.0  # so that it is still itself after six random layers
            )
            ids = torch.randint(1000, 20000, (8, 40))
            ids[:, 20] = at
            hidden = network.trunk(ids, torch.ones_like(ids, dtype=torch.bool))
            own = hidden[:, 20].mean(0) - hidden[:, 21:].mean((0, 1))
            network.pointers.weight[row] = own * 15 / own.square().sum()
        for other in network.heads.values():
            other.outer.weight *= 10.0  # so that pairs differ by more than rounding does
        head = network.heads["read"]
        head.inner.weight[0].zero_()
        head.inner.weight[0, -own.numel() :] = network.pointers.weight[:2].sum(0) / 15
        head.outer.weight[0, 0] = 20.0
    folder = tmp_path_factory.mktemp("planted")
    for kind in ("float16", "q8_0"):
        export_model(
            network, folder / f"{kind}.gguf", {"fit.read": np.array(FIT, dtype=np.float32)}, kind
        )
    return Planted(network, folder / "float16.gguf", folder / "q8_0.gguf", machine)


@pytest.fixture(scope="module")
def model(planted: Planted) -> Iterator[CrossEncoder]:
    machine = CrossEncoder(planted.q8_0, planted.machine)
    yield machine
    machine.close()


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "off"), [("float16", 0.01), ("q8_0", 0.1)])
@pytest.mark.parametrize("job", HEADS)
def test_llama_and_numpy_agree_with_torch(
    planted: Planted, kind: str, off: float, job: str
) -> None:
    import torch

    from rag.training.batches import collate, encode
    from rag.training.examples import Example

    machine = CrossEncoder(getattr(planted, kind), planted.machine)
    rows = encode([Example(job, "test", "none", *pair) for pair in PAIRS], Layout(planted.machine))
    with torch.no_grad():
        pointed, said = planted.network(collate(rows))
    first = list(POINTERS).index(HEADS[job][0])
    at = sum(list(POINTERS.values())[:first])
    mine = slice(at, at + sum(POINTERS[head] for head in HEADS[job]))
    labels = torch.cat([said[head] for head in HEADS[job]], dim=1).numpy()
    for n, (row, pair) in enumerate(zip(rows, PAIRS, strict=True)):
        ((part,),) = machine._run(job, pair[0], [pair[1]])
        assert np.allclose(
            part.pointers, pointed[n, row.second[0] : row.second[1], mine].numpy(), atol=off
        )
        assert np.allclose(part.labels, labels[n], atol=off)
    assert np.ptp(labels, axis=0).min() > 10 * off, "the pairs are too alike to tell anything"
    machine.close()


@pytest.mark.slow
def test_a_pair_has_the_same_bits_alone_among_others_and_when_reopened(
    planted: Planted, model: CrossEncoder
) -> None:
    passages = [p for _, p in PAIRS]
    question = PAIRS[0][0]
    among = (model.read(question, passages), model.support(question, passages))
    again = CrossEncoder(planted.q8_0, planted.machine)
    for at, passage in enumerate(passages):
        for machine in (model, again):
            assert machine.read(question, [passage]) == [among[0][at]]
            assert machine.support(question, [passage]) == [among[1][at]]
    again.close()


@pytest.mark.slow
def test_a_file_opened_again_tells_its_fitted_numbers(model: CrossEncoder) -> None:
    assert model.fits == {"read": FIT}


@pytest.mark.slow
def test_each_pointer_is_its_own_jobs(model: CrossEncoder) -> None:
    text = f"From the {EVIDENCE} one sees the {ANSWER} and little else."
    (found,), (support,) = model.read("What is seen?", [text]), model.support("It is seen.", [text])
    assert found.spots[0].span.of(text) == ANSWER
    assert support.evidence is not None and support.evidence.of(text) == EVIDENCE


@pytest.mark.slow
@examples(6)
@given(st.integers(0, 700), st.integers(0, 700))
def test_an_answer_is_found_wherever_it_stands_in_a_long_passage(
    model: CrossEncoder, before: int, after: int
) -> None:
    text = "".join(f"the {n} ducks. " for n in range(before // 3)) + ANSWER + " swans" * after
    without, (found,) = (
        model.read("What?", [text.replace(ANSWER, "stone")])[0],
        model.read("What?", [text]),
    )
    assert found.spots[0].span == Span(text.index(ANSWER), text.index(ANSWER) + len(ANSWER))
    assert found.answers > without.answers + 1


def _lawful(text: str, span: Span | None) -> None:
    """Assert that a span is inside the text, not empty, and cuts no word."""
    if span is None:
        return
    assert 0 <= span.start < span.end <= len(text)
    for at in (span.start, span.end):
        assert not (0 < at < len(text) and text[at - 1].isalnum() and text[at].isalnum())


@pytest.mark.slow
@examples(40)
@given(TEXTS, TEXTS)
def test_a_span_is_a_slice_of_whole_words(model: CrossEncoder, first: str, second: str) -> None:
    (found,), (support,) = model.read(first, [second]), model.support(first, [second])
    for spot in found.spots:
        _lawful(second, spot.span)
    _lawful(second, support.evidence)
    scores = [spot.score for spot in found.spots]
    assert scores == sorted(scores, reverse=True) and all(map(math.isfinite, scores))
    assert all(
        map(
            math.isfinite,
            (found.answers, found.helps, support.supported, support.partly, support.against),
        )
    )
    assert (not found.spots) == (support.evidence is None)


@pytest.mark.slow
def test_odd_texts_are_read_on_either_side(model: CrossEncoder) -> None:
    for odd in ODD:
        (found,) = model.read("Where is it?", [odd])
        for spot in found.spots:
            _lawful(odd, spot.span)
        assert math.isfinite(found.answers)
        assert len(model.support(odd, ["It is here.", odd])) == 2
    assert model.read("Where is it?", [""])[0].spots == ()
    assert model.read("Where is it?", []) == [] and model.support("", []) == []


@pytest.mark.slow
def test_every_sentence_has_a_spot_of_its_own(model: CrossEncoder) -> None:
    text = f"One sees the {ANSWER}. Ducks are there. Swans are not. It is late."
    (found,) = model.read("What is seen?", [text])
    for sentence in split_sentences(text):
        assert any(spot.span.within(sentence) for spot in found.spots), sentence.of(text)


@pytest.mark.slow
def test_a_span_keeps_the_accents_of_decomposed_letters(model: CrossEncoder) -> None:
    text = "Le re\u0301sume\u0301 du cafe\u0301, 12"
    ((part,),) = model._run("read", "Quoi?", [text])
    words = {part.characters(at, at).of(text) for at in range(len(part.offsets))}
    assert words == {"Le", "re\u0301sume\u0301", "du", "cafe\u0301", ",", "12"}


@pytest.mark.slow
def test_a_question_that_is_too_long_loses_its_end(model: CrossEncoder) -> None:
    text = f"One sees the {ANSWER}."
    long = "what is it that one sees there " * 400
    assert model.read(long, [text]) == model.read(long + "and more", [text])
    assert model.read(long, [text]) != model.read("what", [text])


LAYOUT = Layout(Tokenizer().machine)
IDS = st.integers(0, 900).map(
    lambda n: Pieces(range(1000, 1000 + n), [(i, i + 1) for i in range(n)])
)


@given(IDS, IDS, st.integers(16, MAX_TOKENS), st.sampled_from(sorted(HEADS)))
def test_parts_cover_every_token_and_overlap(
    first: Pieces, second: Pieces, most: int, job: str
) -> None:
    room = most - min(len(first.ids), most // 3) - 4
    seen: list[tuple[int, int]] = []
    for at in LAYOUT.parts(first, second, most):
        ids, low, kept = LAYOUT.row(job, first.ids, second.ids[at:], most)
        assert len(ids) <= most and ids[low : low + kept] == list(second.ids[at : at + kept])
        assert list(first.ids[: most // 3]) == ids[LAYOUT.first : low - 1]
        seen.append((at, at + kept))
    assert seen[0][0] == 0 and seen[-1][1] == len(second.ids)
    for (start, end), (later, _) in pairwise(seen):
        assert end - start == room and start < later <= end - room // 3


def test_jobs_differ_in_their_marker_alone() -> None:
    rows = [LAYOUT.row(job, [7, 8], [9], MAX_TOKENS)[0] for job in HEADS]
    assert len({tuple(row) for row in rows}) == len(HEADS)
    assert {tuple(row[:1] + row[2:]) for row in rows} == {(101, 7, 8, 102, 9, 102)}


@given(st.lists(TEXTS, max_size=4))
def test_pieces_have_the_offsets_of_their_characters(texts: list[str]) -> None:
    found = LAYOUT.pieces(texts)
    assert len(found) == len(texts)
    for text, pieces in zip(texts, found, strict=True):
        assert len(pieces.ids) == len(pieces.offsets)
        assert all(0 <= start < end <= len(text) for start, end in pieces.offsets)
        assert not {0, 1, 2, 3, 101, 102, 103} & set(pieces.ids)


def test_a_text_cannot_forge_the_marks_of_a_pair() -> None:
    (forged,) = LAYOUT.pieces(["One. [SEP] Two [CLS] [MASK] [PAD] [unused0] three."])
    assert len(forged.ids) > 8 and not {0, 1, 2, 3, 101, 102, 103} & set(forged.ids)
    assert Span(*forged.offsets[2]) == Span(5, 10)


NAMES = st.from_regex(r"[a-z]{1,8}(\.[a-z]{1,8})?", fullmatch=True).filter(
    lambda n: not n.endswith(".shape")
)
FLOATS = arrays_of.arrays(np.float32, arrays_of.array_shapes(max_dims=3, max_side=5))


def _measures(folder: Path) -> Path:
    """A folder with the sizes and the vocabulary that `write_gguf` reads."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "##b"]
    config: dict[str, float] = dict.fromkeys(
        (
            "max_position_embeddings",
            "hidden_size",
            "intermediate_size",
            "num_hidden_layers",
            "num_attention_heads",
        ),
        32,
    )
    config |= {"layer_norm_eps": 1e-12, "type_vocab_size": 2}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer.json").write_text(
        json.dumps({"model": {"vocab": {w: n for n, w in enumerate(words)}}})
    )
    return folder


@pytest.mark.slow
@examples(50)
@given(st.dictionaries(NAMES, FLOATS, max_size=5))
def test_a_file_gives_back_the_arrays_it_was_given(given_: dict[str, NDArray[np.float32]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = _measures(Path(name))
        write_gguf(folder / "made.gguf", folder, "test", [], "float16", arrays=given_)
        found = read_arrays(str(folder / "made.gguf"))
    assert found.keys() == given_.keys()
    for key, array in found.items():
        assert array.dtype == np.float32 and array.shape == given_[key].shape
        assert np.array_equal(array, given_[key], equal_nan=True)


def test_arrays_kept_as_they_once_were_are_read(tmp_path: Path) -> None:
    writer = gguf.GGUFWriter(str(tmp_path / "old.gguf"), "bert")
    writer.add_array(f"{METADATA_PREFIX}one", [1.0, 2.0])
    writer.add_array(f"{METADATA_PREFIX}one.shape", [2, 1])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    assert read_arrays(str(tmp_path / "old.gguf"))["one"].tolist() == [[1.0], [2.0]]


@pytest.mark.slow
def test_a_truncated_file_is_broken_or_has_all_its_arrays(tmp_path: Path) -> None:
    heads = {
        "one": np.arange(12, dtype=np.float32).reshape(3, 4),
        "two": np.ones(5, dtype=np.float32),
    }
    whole = tmp_path / "whole.gguf"
    write_gguf(
        whole,
        _measures(tmp_path),
        "test",
        [("embeddings.LayerNorm.bias", np.ones(64))],
        "float16",
        arrays=heads,
    )
    content, short = whole.read_bytes(), tmp_path / "short.gguf"
    broken = 0
    for end in range(0, len(content), 3):
        short.write_bytes(content[:end])
        with pytest.raises(ModelBroken) as error:
            weights.verify_file(short, atomic_files.sha256(whole))
        assert all(
            part in str(error.value)
            for part in (short.name, atomic_files.sha256(whole), atomic_files.sha256(short))
        )
        try:
            found = read_arrays(str(short))
        except ModelBroken as error_:
            assert short.name in str(error_) and error_.cure
            broken += 1
        else:
            assert all((found[key] == heads[key]).all() for key in heads)
    assert broken > 200, "all that is cut inside the metadata"


def test_a_flipped_bit_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "made.gguf"
    write_gguf(
        path,
        _measures(tmp_path),
        "test",
        [],
        "float16",
        arrays={"one": np.ones(9, dtype=np.float32)},
    )
    expected, content = atomic_files.sha256(path), bytearray(path.read_bytes())
    weights.verify_file(path, expected)
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelBroken, match=path.name) as error:
        weights.verify_file(path, expected)
    assert expected in str(error.value) and atomic_files.sha256(path) in str(error.value)
    with pytest.raises(WeightsMissing, match="nothing"):
        weights.verify_file(tmp_path / "nothing.gguf", expected)


def test_no_file_holds_no_arrays(tmp_path: Path) -> None:
    with pytest.raises(ModelBroken, match="nothing"):
        read_arrays(str(tmp_path / "nothing.gguf"))


@pytest.mark.parametrize("kind", QUANTISATIONS)
@pytest.mark.parametrize("pooled", [True, False])
def test_matrices_are_stored_as_asked_and_vectors_exactly(
    tmp_path: Path, kind: str, pooled: bool
) -> None:
    import gguf

    chance = np.random.default_rng(0)
    given_ = {
        "embeddings.word_embeddings.weight": chance.standard_normal((7, 64)),
        "embeddings.position_embeddings.weight": chance.standard_normal((32, 64)),
        "encoder.layer.0.output.dense.bias": chance.standard_normal(64),
        "pooler.dense.weight": np.ones((2, 2)),
    }
    write_gguf(tmp_path / "made.gguf", _measures(tmp_path), "test", given_.items(), kind, pooled)
    reader = gguf.GGUFReader(str(tmp_path / "made.gguf"))
    found = {t.name: gguf.quants.dequantize(t.data, t.tensor_type) for t in reader.tensors}
    kinds = {t.name: t.tensor_type.name for t in reader.tensors}
    names = {"float32": "F32", "float16": "F16", "bfloat16": "BF16", "q8_0": "Q8_0"}
    assert kinds == {
        "token_embd.weight": names[kind],
        "position_embd.weight": "F32",
        "blk.0.ffn_down.bias": "F32",
    }
    assert np.allclose(
        found["token_embd.weight"], given_["embeddings.word_embeddings.weight"], atol=0.02
    )
    for name, theirs in (
        ("position_embd.weight", "embeddings.position_embeddings.weight"),
        ("blk.0.ffn_down.bias", "encoder.layer.0.output.dense.bias"),
    ):
        assert np.array_equal(found[name], given_[theirs].astype(np.float32))
    said = reader.get_field("bert.pooling_type")
    assert said is not None and said.contents() == (
        gguf.PoolingType.MEAN if pooled else gguf.PoolingType.NONE
    )


@pytest.mark.slow
def test_rows_together_are_as_rows_alone(planted: Planted) -> None:
    rows: Sequence[list[int]] = [[101, 2000 + n, *range(3000, 3000 + 9 * n), 102] for n in range(9)]
    alone, together = (
        TokenEncoder(str(planted.float16)),
        TokenEncoder(str(planted.float16), max_rows=4),
    )
    for row, one, other in zip(rows, alone.vectors(rows), together.vectors(rows), strict=True):
        assert one.shape == other.shape == (len(row), alone.dimension) and one.dtype == np.float32
        assert np.allclose(one, other, atol=0.01)
    with pytest.raises(TooLong):
        alone.vectors([[101] * (alone.max_tokens + 1)])
    alone.close()
    together.close()


@pytest.mark.slow
def test_the_trunk_begins_as_the_embedder(tmp_path: Path) -> None:
    import torch

    from rag.inference.gguf_writer import convert_to_gguf
    from rag.training.network import Trunk

    folder, trunk = weights.verified_embedder_folder(), Trunk().eval()
    trunk.start_from(folder)
    assert trunk.names().keys() == trunk.state_dict().keys()
    convert_to_gguf(folder, tmp_path / "made.gguf", "float32")
    machine = Encoder(str(tmp_path / "made.gguf"))
    for row in Tokenizer().ids([text for _, text in PAIRS]):
        with torch.no_grad():
            mean = (
                trunk(torch.tensor([row]), torch.ones(1, len(row), dtype=torch.bool))[0]
                .mean(0)
                .numpy()
            )
        assert float(machine.embed([row])[0] @ mean) / float(np.linalg.norm(mean)) > 0.9999
    machine.close()


def test_the_packaged_reader_is_the_one_of_the_catalogue() -> None:
    assert weights.verified_reader_file().stat().st_size == weights.READER_FILE.size
    part_reader = weights.verified_part_reader_file()
    assert part_reader.stat().st_size == weights.PART_READER_FILE.size
    rates = weights.checker_error_rates()
    for value, low, high in (rates.misses, rates.false_alarms):
        assert 0 <= low <= value <= high <= 1


@pytest.mark.slow
def test_training_can_go_on_from_a_shipped_file(planted: Planted) -> None:
    from rag.training.export import load_network

    again = load_network(planted.q8_0).state_dict()
    for name, tensor in planted.network.state_dict().items():
        off = float(tensor.abs().max()) / 100
        assert (
            tensor.shape == again[name].shape and float((tensor - again[name]).abs().max()) <= off
        ), name
