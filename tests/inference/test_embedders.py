"""Another embedder by one setting: its own prefixes, tokenizer, dimension and limit.

Vectors of two embedders are never mixed, pickles are refused, and no text is cut silently.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag import Bot, Config
from rag.config import EMBEDDER
from rag.errors import LibraryBroken, ModelBroken, RagError, Usage, WeightsMissing
from rag.eval.eval_runs import _weights, open_corpus
from rag.events import Answered, Notice, Repaired, Report
from rag.inference import sentence_models, weights
from rag.inference.embedders import BuiltIn, chunk_sizes, open_embedder
from rag.inference.external import ExternalEmbedder
from rag.ingest.chunk import CHUNKER_VERSION
from rag.ingest.ingest import Ingest
from rag.upkeep.doctor import run_checks
from tests.conftest import SEEDS
from tests.support import tiny_chat_model as tiny
from tests.support import tiny_embedder

pytestmark = pytest.mark.slow

TEXTS = {
    "bees": "Bees make honey in the hive. The queen lays eggs all summer.",
    "iron": "Iron rusts in damp air. Zinc keeps the rust away from it.",
    "tides": "The moon pulls the sea. Tides come twice a day on this coast.",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny folder; a test that changes it works on a copy."""
    return tiny_embedder.folder(tmp_path_factory.mktemp("embedder") / "tiny")


@pytest.fixture(scope="module")
def gguf(made: Path) -> Path:
    """The same weights as a GGUF file, with a settings file of the same prefixes."""
    path = tiny_embedder.file(made.parent / "tiny.gguf", made)
    path.with_suffix(".json").write_text(json.dumps(tiny_embedder.PROMPTS))
    return path


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    for name, text in TEXTS.items():
        (folder / f"{name}.txt").write_text(text)
    return folder


def _copy(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "copy"))


def _config(tmp_path: Path, embedder: Path | str, **more: Any) -> Config:
    return Config(home=str(tmp_path / "home"), embedder=str(embedder), **more)


def test_the_built_in_one_is_what_it_was(tmp_path: Path) -> None:
    assert weights.EMBEDDER_FILE.name == EMBEDDER
    found = open_embedder(_config(tmp_path, ""))
    assert isinstance(found, BuiltIn) and found.identity == "all-MiniLM-L6-v2 53aa51172d142c89 256"
    assert chunk_sizes(found, 200) == (200, 40, "")
    assert Config(embedder=EMBEDDER) == Config()


def test_the_setting_comes_from_file_environment_and_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = str(tmp_path)
    (tmp_path / "config.toml").write_text('embedder = "~/a"\n')
    assert Config.read(home=home).embedder == str(Path.home() / "a")
    monkeypatch.setenv("FOOTNOTE_EMBEDDER", str(tmp_path / "b"))
    assert Config.read(home=home).embedder == str(tmp_path / "b")
    assert Config.read(home=home, embedder="c").embedder == str(Path.cwd() / "c")
    assert Config.read(home=home, embedder=EMBEDDER).embedder == ""


@pytest.mark.parametrize("kind", ["made", "gguf"])
def test_a_library_is_made_and_asked_with_it(
    kind: str, tmp_path: Path, docs: Path, request: pytest.FixtureRequest
) -> None:
    config = _config(tmp_path, request.getfixturevalue(kind))
    with Bot.open(config) as bot:
        events = list(bot.add([str(docs)]))
        report = events[-1]
        assert isinstance(report, Report) and len(report.added) == 3
        assert (
            isinstance(events[0], Notice)
            and "chunk_tokens = 200" in events[0].says
            and "45 tokens" in events[0].says
        )
        vectors = bot.library.documents.vectors(sorted(bot.library.documents.chunk_ids()))
        assert vectors.shape == (3, tiny_embedder.WIDTH) and np.allclose(
            np.linalg.norm(vectors, axis=1), 1, atol=1e-5
        )
    with Bot.open(config) as bot:  # a process that embeds questions only
        assert bot.search(TEXTS["iron"])[0].chunk.text == TEXTS["iron"]
        assert all(p.ranks.vectors for p in bot.search("honey"))
        assert next(event for event in bot.sync() if isinstance(event, Report)).unchanged == 3
    findings = {f.what: f for f in run_checks(config)}
    assert findings["embedder"].good and "32 numbers, 64 tokens" in findings["embedder"].says
    assert findings["library"].good and findings["index"].good


def test_both_kinds_give_the_same_vectors_each_side_with_its_prefix(
    tmp_path: Path, made: Path, gguf: Path
) -> None:
    folder, file = open_embedder(_config(tmp_path, made)), open_embedder(_config(tmp_path, gguf))
    slow, texts = sentence_models.FolderEmbedder(made), [*TEXTS.values(), "", "x", "word " * 500]
    for side, prefix in (("questions", "query: "), ("passages", "passage: ")):
        expected = slow.embed([prefix + text for text in texts])
        for embedding in (folder, file):
            machine = getattr(embedding, side)()
            assert machine.dimension == embedding.dimension == tiny_embedder.WIDTH
            assert ((machine.embed(texts) * expected).sum(axis=1) > 0.9999).all()
            machine.close()
    asked, kept = file.questions().embed(texts[:3]), file.passages().embed(texts[:3])
    assert ((asked * kept).sum(axis=1) < 0.999).all()
    folder.close()
    file.close()


def test_a_question_to_a_plain_bert_needs_no_torch(tmp_path: Path, made: Path) -> None:
    open_embedder(_config(tmp_path, made)).close()  # measured
    code = f"""import sys
from rag import Config
from rag.inference.embedders import open_embedder
config = Config(home={str(tmp_path / "home")!r}, embedder={str(made)!r})
open_embedder(config).questions().embed(["honey"])
print(*sys.modules)"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert "llama_cpp" in loaded and not loaded & {"torch", "sentence_transformers", "transformers"}


@pytest.mark.parametrize(("pooling", "fast"), [("cls", True), ("max", False)])
def test_llama_is_used_only_where_it_agrees(
    tmp_path: Path, docs: Path, pooling: str, fast: bool
) -> None:
    path = tiny_embedder.folder(tmp_path / "tiny", {}, pooling)
    config = _config(tmp_path, path, chunk_tokens=40)
    found = open_embedder(config)
    assert found.made() is fast and ("wait for torch" in found.check()) is not fast
    expected = sentence_models.FolderEmbedder(path).embed(["honey"], asks=True)
    assert float(found.questions().embed(["honey"])[0] @ expected[0]) > 0.9999
    with Bot.open(config) as bot:
        assert not [event for event in bot.add([str(docs)]) if isinstance(event, Notice)]
        assert bot.search(TEXTS["bees"])[0].chunk.text == TEXTS["bees"]


def test_an_activation_that_llama_does_not_compute_falls_back(tmp_path: Path, made: Path) -> None:
    path = _copy(made, tmp_path)
    config = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps(config | {"hidden_act": "relu"}))
    found = open_embedder(_config(tmp_path, path))
    (question,) = found.questions().embed(["a"])
    (expected,) = sentence_models.FolderEmbedder(path).embed(["query: a"])
    assert not found.made() and float(question @ expected) > 0.9999


def test_a_table_of_words_has_no_limit(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    table = StaticEmbedding(tiny_embedder.tokenizer(), embedding_dim=24)
    SentenceTransformer(modules=[table], device="cpu").save_pretrained(str(tmp_path / "table"))
    found = open_embedder(_config(tmp_path, tmp_path / "table"))
    assert (found.dimension, found.max_tokens, found.made()) == (24, 8192, False)
    assert found.questions().embed(["honey", "iron"]).shape == (2, 24)


def test_a_folder_of_an_older_version(tmp_path: Path, made: Path) -> None:
    path = _copy(made, tmp_path)
    modules = json.loads((path / "modules.json").read_text())
    for module in modules:
        module["type"] = f"sentence_transformers.models.{module['type'].rpartition('.')[2]}"
    (path / "modules.json").write_text(json.dumps(modules))
    modes = {
        f"pooling_mode_{name}": name == "cls_token"
        for name in ("cls_token", "mean_tokens", "max_tokens")
    }
    (path / "1_Pooling" / "config.json").write_text(
        json.dumps({"word_embedding_dimension": 32, **modes})
    )
    (path / "sentence_bert_config.json").write_text(
        '{"max_seq_length": 48, "do_lower_case": false}'
    )
    found = open_embedder(_config(tmp_path, path))
    assert found.max_tokens == 48 and found.made()
    slow = sentence_models.FolderEmbedder(path).embed(["query: " + "word " * 99])
    assert float(found.questions().embed(["word " * 99])[0] @ slow[0]) > 0.9999


def test_a_decoder_pooled_by_its_last_token(tmp_path: Path, docs: Path) -> None:
    path = tiny.write(tmp_path / "decoder.gguf", None, pooling=3)
    found = open_embedder(_config(tmp_path, path))
    texts = [*TEXTS.values(), "long " * 3000]
    together, alone = (
        found.passages().embed(texts),
        [found.passages().embed([text])[0] for text in texts],
    )
    assert ((together * np.stack(alone)).sum(axis=1) > 0.9999).all()
    with Bot.open(_config(tmp_path, path)) as bot:
        list(bot.add([str(docs)]))
        assert bot.search(TEXTS["tides"])[0].chunk.text == TEXTS["tides"]


def test_prefixes_beside_the_weights(tmp_path: Path, gguf: Path) -> None:
    path = tiny_embedder.folder(tmp_path / "silent", {})
    plain = open_embedder(_config(tmp_path, path))
    (path / "footnote.json").write_text('{"query": "ask: ", "document": "text: "}')
    found = open_embedder(_config(tmp_path, path))
    assert isinstance(found, ExternalEmbedder)
    assert (found.prefixes.query, found.prefixes.passage) == ("ask: ", "text: ")
    assert (
        "'ask: '" in found.identity
        and found.identity != plain.identity
        and found.sha256 == plain.sha256
    )
    assert found.room < plain.room
    (path / "footnote.json").write_text('{"querry": "ask: "}')
    with pytest.raises(Usage, match="'querry'"):
        open_embedder(_config(tmp_path, path))
    (path / "footnote.json").write_text('{"query": 5}')
    with pytest.raises(Usage, match="prefix of a query"):
        open_embedder(_config(tmp_path, path))
    (path / "footnote.json").write_text("[")
    with pytest.raises(ModelBroken, match=r"footnote\.json cannot be read"):
        open_embedder(_config(tmp_path, path))


def test_a_mixture_is_refused_with_the_way_out(
    tmp_path: Path, docs: Path, made: Path, gguf: Path
) -> None:
    with Bot.open(_config(tmp_path, made)) as bot:
        list(bot.add([str(docs)]))
    for other, typed in ((gguf, str(gguf)), ("", EMBEDDER)):
        with (
            Bot.open(_config(tmp_path, other)) as bot,
            pytest.raises(LibraryBroken, match="was made with") as error,
        ):
            bot.search("honey")
        assert f"footnote --library OTHER --embedder {typed} add FOLDER" in error.value.cure
        assert error.value.cure.endswith(f"set it back: --embedder {made}")
        assert [
            f for f in run_checks(_config(tmp_path, other)) if f.what == "library" and not f.good
        ]


def test_the_built_in_library_refuses_another(home: Path, gguf: Path) -> None:
    with (
        Bot.open(Config(home=str(home), embedder=str(gguf))) as bot,
        pytest.raises(LibraryBroken) as error,
    ):
        bot.documents()
    assert error.value.cure.endswith(f"set it back: --embedder {EMBEDDER}")
    assert f"{BuiltIn.identity} chunks {CHUNKER_VERSION}" in str(error.value)


def test_other_weights_are_another_embedder(tmp_path: Path, made: Path) -> None:
    path = _copy(made, tmp_path)
    before = open_embedder(_config(tmp_path, path))
    (path / "README.md").write_text("other words")
    assert open_embedder(_config(tmp_path, path)).identity == before.identity
    moved = path.rename(tmp_path / "elsewhere")
    assert open_embedder(_config(tmp_path, moved)).identity == before.identity
    shutil.copy(tiny_embedder.folder(tmp_path / "second", seed=1) / "model.safetensors", moved)
    assert open_embedder(_config(tmp_path, moved)).identity != before.identity


def test_the_reader_and_the_check_keep_their_own_tokenizer(home: Path, gguf: Path) -> None:
    with Bot.open(Config(home=str(home), library="other", embedder=str(gguf))) as bot:
        list(bot.add([str(SEEDS)]))
        end = list(bot.ask("How many individual sanctions has Russia faced?", save=False))[-1]
        assert isinstance(end, Answered) and end.answer.passages
        judged = (
            bot.check("Bees make honey.", TEXTS["bees"]),
            bot.check("Iron rusts in the sea.", TEXTS["iron"]),
        )
        assert bot.machines.sentence_embedder().dimension == sentence_models.DIMENSION
        assert bot.machines.question_embedder().dimension == tiny_embedder.WIDTH
    with Bot.open(Config(home=str(home))) as bot:
        assert judged == (
            bot.check("Bees make honey.", TEXTS["bees"]),
            bot.check("Iron rusts in the sea.", TEXTS["iron"]),
        )


def _pickled(path: Path) -> None:
    (path / "model.safetensors").rename(path / "pytorch_model.bin")


def _pipe(path: Path) -> None:
    (path / "modules.json").unlink()
    os.mkfifo(path / "modules.json")


def _pickled_module(path: Path) -> None:
    modules = json.loads((path / "modules.json").read_text())
    kind = "sentence_transformers.base.modules.dense.Dense"
    modules.append({"idx": 3, "name": "3", "path": "3_Dense", "type": kind})
    (path / "modules.json").write_text(json.dumps(modules))
    (path / "3_Dense").mkdir()
    (path / "3_Dense" / "pytorch_model.bin").write_bytes(b"x")


def _decoy(name: str, content: bytes | None = None) -> Callable[[Path], None]:
    """Pickled weights, and a file named like safetensors: a copy of them, or `content`."""

    def damage(path: Path) -> None:
        good = (path / "model.safetensors").read_bytes()
        _pickled(path)
        (path / name).write_bytes(good if content is None else content)

    return damage


def _parts(*names: str) -> Callable[[Path], None]:
    """Weights in parts, with `names` in the index."""

    def damage(path: Path) -> None:
        good = (path / "model.safetensors").read_bytes()
        (path / "model.safetensors").unlink()
        (path / "model-1.safetensors").write_bytes(good)
        (path / "weights.dat").write_bytes(b"\x80\x04.")
        index = {"metadata": {}, "weight_map": {f"layer.{n}": name for n, name in enumerate(names)}}
        (path / "model.safetensors.index.json").write_text(json.dumps(index))

    return damage


def _dangling(path: Path) -> None:
    _pickled(path)
    (path / "model.safetensors").symlink_to("nowhere.safetensors")


def _module(folder: Path, **changed: str) -> None:
    modules = json.loads((folder / "modules.json").read_text())
    modules[0] |= changed
    (folder / "modules.json").write_text(json.dumps(modules))


DAMAGE = {
    "pickled": (_pickled, "are pickled"),
    "a pickled module": (_pickled_module, "3_Dense are pickled"),
    "a decoy of another name": (_decoy("decoy.safetensors"), "are pickled"),
    "an empty decoy": (_decoy("model.safetensors", b""), "are pickled.* not whole"),
    "garbage": (_decoy("model.safetensors", b"PK" * 500), "are pickled.* not whole"),
    "a decoy without tensors": (
        _decoy("model.safetensors", b"\2\0\0\0\0\0\0\0{}"),
        "are pickled.* not whole",
    ),
    "a link that leads nowhere": (_dangling, "are pickled.* not whole"),
    "an index of a pickle": (_parts("model-1.safetensors", "weights.dat"), r"weights\.dat"),
    "an index of elsewhere": (_parts("../model-1.safetensors"), r"\.\./model-1"),
    "an index of a part that is missing": (_parts("model-2.safetensors"), "model-2"),
    "a pipe for its modules": (
        _pipe,
        "not a regular file",
    ),
    "a pipe beside": (lambda p: os.mkfifo(p / "extra.json"), "not a regular file"),
    "modules nested": (lambda p: (p / "modules.json").write_text("[" * 100_000), "cannot be read"),
    "weights elsewhere": (
        lambda p: (p / "config.json").write_text(
            '{"transformers_weights": "x.safetensors.index.json"}'
        ),
        r"x\.safetensors\.index",
    ),
    "code": (lambda p: _module(p, type="custom.Transformer"), "needs code"),
    "outside": (lambda p: _module(p, path="../.."), "needs code or files from elsewhere"),
    "no modules": (
        lambda p: (p / "modules.json").unlink(),
        "is not a sentence-transformers folder",
    ),
    "no tokenizer": (lambda p: (p / "tokenizer.json").unlink(), "no tokenizer.json"),
    "half": (lambda p: os.truncate(p / "model.safetensors", 5000), "cannot open the embedder"),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_folder_that_is_not_opened(what: str, tmp_path: Path, made: Path) -> None:
    damage, says = DAMAGE[what]
    path = _copy(made, tmp_path)
    damage(path)
    with pytest.raises(ModelBroken, match=says) as error:
        open_embedder(_config(tmp_path, path))
    assert str(path) in str(error.value) and error.value.cure
    assert not [f for f in run_checks(_config(tmp_path, path)) if f.what == "embedder" and f.good]


def test_a_pickle_beside_whole_weights_is_never_opened(tmp_path: Path, made: Path) -> None:
    path = _copy(made, tmp_path)
    hit = tmp_path / "hit"
    (path / "pytorch_model.bin").write_bytes(f"cos\nsystem\n(S'touch {hit}'\ntR.".encode())
    embedding = open_embedder(_config(tmp_path, path))
    assert embedding.passages().embed(["a"]).shape == (1, tiny_embedder.WIDTH) and not hit.exists()
    embedding.close()


def test_a_file_that_is_not_opened(tmp_path: Path, gguf: Path, tiny: Path) -> None:
    path = tmp_path / "embedder.gguf"
    for content, says in (
        (b"version https://git-lfs", "is not a GGUF file"),
        (gguf.read_bytes()[:-9000], "cannot load"),
    ):
        path.write_bytes(content)
        with pytest.raises(ModelBroken, match=says) as error:
            open_embedder(_config(tmp_path, path))
        assert str(path) in str(error.value) and error.value.cure
    with pytest.raises(ModelBroken, match="is not an embedder"):
        open_embedder(_config(tmp_path, tiny))
    os.mkfifo(tmp_path / "pipe.gguf")
    with pytest.raises(ModelBroken, match="not a regular file"):
        open_embedder(_config(tmp_path, tmp_path / "pipe.gguf"))


def test_a_path_with_nothing_there(tmp_path: Path) -> None:
    with (
        Bot.open(_config(tmp_path, tmp_path / "gone")) as bot,
        pytest.raises(WeightsMissing, match="gone") as error,
    ):
        list(bot.add([str(SEEDS)]))
    assert EMBEDDER in error.value.cure
    run = [
        sys.executable,
        "-m",
        "rag",
        "--home",
        str(tmp_path),
        "--embedder",
        str(tmp_path / "gone"),
        "list",
    ]
    done = subprocess.run(run, capture_output=True, text=True)
    assert done.returncode == 5 and "there is no embedder" in done.stderr and "hint:" in done.stderr


def test_its_gguf_is_verified_and_mended(tmp_path: Path, docs: Path, made: Path) -> None:
    config = _config(tmp_path, made)
    with Bot.open(config) as bot:
        list(bot.add([str(docs)]))
    (path,) = (tmp_path / "home" / "models" / "embedders").glob("*.gguf")
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)
    with Bot.open(config) as bot, pytest.raises(ModelBroken, match="SHA-256") as error:
        bot.search("honey")
    assert error.value.cure == "run: footnote doctor --repair"
    with Bot.open(config) as bot:
        mended = [event for event in bot.repair() if isinstance(event, Repaired)]
        assert [(m.what, m.done) for m in mended] == [("embedder", True)]
        assert bot.search(TEXTS["bees"])
    path.unlink()  # a file that is only gone is made again
    with Bot.open(config) as bot:
        assert bot.search(TEXTS["bees"])


def test_a_record_that_is_damaged_is_measured_again(tmp_path: Path, gguf: Path) -> None:
    before = open_embedder(_config(tmp_path, gguf))
    (record,) = (tmp_path / "home" / "models" / "embedders").glob("*.json")
    for text in ("", "[]", "{}", '{"dimension": "x"}'):
        record.write_text(text)
        assert open_embedder(_config(tmp_path, gguf)).identity == before.identity


def test_nothing_that_is_embedded_is_longer_than_the_limit(tmp_path: Path, gguf: Path) -> None:
    found = open_embedder(_config(tmp_path, gguf))
    docs = tmp_path / "docs"
    shutil.copytree(SEEDS, docs)
    (docs / "本.md").write_text(
        f"# {'東京は日本の首都です' * 30}\n\n" + "Tides come twice a day. " * 40
    )
    seen: list[str] = []

    class Noting:
        dimension = found.dimension

        def embed(self, texts):  # type: ignore[no-untyped-def]
            seen.extend(texts)
            return found.passages().embed(texts)

    size, prefix, _ = chunk_sizes(found, 200)
    with Bot.open(_config(tmp_path, gguf)) as bot:
        library = bot.access.open(create=True)
        ingest = Ingest(
            library, bot.access.vectors, Noting, found.count, size, prefix, room=found.room
        )
        assert not [event for event in ingest.add([str(docs)]) if isinstance(event, Notice)]
    assert len(seen) > 50
    longest = max(n - 1 for n in found.count(["passage: " + text for text in seen]))
    assert longest + 2 <= tiny_embedder.MOST


def test_a_text_that_is_longer_nevertheless_is_reported(
    tmp_path: Path, docs: Path, gguf: Path
) -> None:
    found = open_embedder(_config(tmp_path, gguf))
    with Bot.open(_config(tmp_path, gguf)) as bot:
        library = bot.access.open(create=True)
        ingest = Ingest(library, bot.access.vectors, found.passages, found.count, 40, 9, room=5)
        said = [event.says for event in ingest.add([str(docs)]) if isinstance(event, Notice)]
    assert said and said[0].startswith("of 3 passages the embedder sees only 5 tokens")


def test_an_embedder_for_too_short_texts(tmp_path: Path, docs: Path) -> None:
    path = tiny_embedder.folder(tmp_path / "short", most=32)
    with Bot.open(_config(tmp_path, path)) as bot, pytest.raises(Usage, match="takes 32 tokens"):
        list(bot.add([str(docs)]))


def test_an_evaluation_keeps_embedders_apart(
    tmp_path: Path, docs: Path, made: Path, gguf: Path
) -> None:
    libraries, digests = set(), set()
    for path in (made, gguf):
        config = _config(tmp_path, path)
        with open_corpus(config, [str(docs)], lambda _: None) as (bot, about):
            libraries.add(bot.config.library)
            digests.add(about["corpus"])
            assert about["embedder"] == "tiny" and str(tmp_path) not in json.dumps(about)
        found = open_embedder(config)
        assert _weights(config)["embedder"] == found.sha256
    assert len(libraries) == 2 and len(digests) == 1
    assert _weights(_config(tmp_path, ""))["embedder"] == weights.EMBEDDER_FILE.sha256


def test_every_refusal_has_its_cure(tmp_path: Path) -> None:
    for name in ("nothing", "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        with pytest.raises(RagError) as error:
            open_embedder(_config(tmp_path, tmp_path / name))
        assert error.value.cure
