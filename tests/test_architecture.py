"""The house: which module may import which, who may touch a vendor, what an import costs, how large a room may grow."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted([*ROOT.glob("rag/**/*.py"), *ROOT.glob("tui/**/*.py")])

LEVELS = {
    "domain": 0, "errors": 0, "private": 0, "strict": 0, "paths": 0, "atomic": 0,
    "events": 1, "regular": 1, "config": 1, "weights": 1, "sentences": 1, "safe": 1, "llama": 1, "facts": 1, "rows": 1, "told": 1, "store": 1, "lock": 1, "alike": 1, "clean": 1, "bounds": 1, "pool": 1, "output": 1, "tomlfile": 1, "header": 1, "isolated": 1, "llamafile": 1,
    "load": 2, "formats": 2, "chunk": 2, "embed": 2, "embedders": 2, "folder": 2, "foreign": 2, "convert": 2, "library": 2, "history": 2, "anew": 2, "structure": 2, "files": 2, "care": 2, "vectors": 2, "retrieve": 2,
    "prompt": 2, "streams": 2, "trial": 2, "templating": 2, "generate": 2, "read": 2, "cite": 2, "check": 2, "wire": 2, "crossencoder": 2, "watch": 2, "calibration": 2,
    "stems": 2, "postings": 2, "held": 2, "same": 2, "twins": 2, "words": 2, "template": 2, "templates": 2, "leftout": 2, "lookup": 2, "upgrade": 2, "around": 2, "aside": 2, "complete": 2, "lean": 2, "named": 2,
    "index": 3, "ingest": 3, "tally": 3, "answer": 3, "explain": 3, "repair": 3,
    "bot": 4, "engine": 4, "doctor": 4,
    "cli": 5, "show": 5, "say": 5, "eval": 5, "measure": 5, "demo": 5, "training": 6, "__main__": 6, "__init__": 6,
}  # fmt: skip
#: pairs on one level that are one machine: the library's history, tables, care, words, labels and templates, what tells a copy, the words in the index, the formats of what is loaded, the embedder's converter, where words are looked up, what completes a question, what runs an embedder
TOGETHER = {
    ("config", "regular"),
    ("store", "told"),
    ("config", "told"),
    ("pool", "facts"),
    ("facts", "sentences"),
    ("weights", "tomlfile"),
    ("llama", "llamafile"),
    ("llamafile", "llama"),
    ("foreign", "trial"),
    ("prompt", "templating"),
    ("library", "history"),
    ("library", "structure"),
    ("anew", "history"),
    ("care", "structure"),
    ("structure", "twins"),
    ("structure", "template"),
    ("library", "care"),
    ("library", "files"),
    ("library", "held"),
    ("library", "upgrade"),
    ("upgrade", "formats"),
    ("ingest", "tally"),
    ("held", "files"),
    ("held", "load"),
    ("care", "history"),
    ("care", "twins"),
    ("care", "template"),
    ("library", "twins"),
    ("library", "words"),
    ("library", "same"),
    ("postings", "words"),
    ("postings", "stems"),
    ("lookup", "stems"),
    ("vectors", "postings"),
    ("retrieve", "postings"),
    ("retrieve", "words"),
    ("library", "template"),
    ("template", "leftout"),
    ("leftout", "read"),
    ("twins", "same"),
    ("retrieve", "same"),
    ("retrieve", "around"),
    ("library", "lookup"),
    ("load", "formats"),
    ("watch", "load"),
    ("embed", "convert"),
    ("embedders", "embed"),
    ("embedders", "folder"),
    ("embedders", "foreign"),
    ("folder", "embed"),
    ("folder", "foreign"),
    ("retrieve", "library"),
    ("complete", "lean"),
    ("complete", "named"),
    ("lean", "named"),
    ("engine", "bot"),
    ("eval", "show"),
    ("cli", "show"),
    ("cli", "eval"),
    ("cli", "say"),
    ("cli", "measure"),
    ("cli", "demo"),
    ("demo", "say"),
    ("demo", "show"),
    ("measure", "say"),
    ("measure", "show"),
    ("measure", "eval"),
}
VENDORS = {
    "torch": {"rag.inference.minilm", "rag.training"}, "sentence_transformers": {"rag.inference.minilm"}, "transformers": {"rag.inference.minilm"},
    "chromadb": {"rag.index.chroma"}, "llama_cpp": {"rag.inference.llama"}, "textual": {"tui"},
    "bs4": {"rag.ingest.formats.web"}, "trafilatura": {"rag.ingest.formats.web"}, "charset_normalizer": {"rag.ingest.formats.common"},
    "docx": {"rag.ingest.formats.office"}, "pptx": {"rag.ingest.formats.office"}, "openpyxl": {"rag.ingest.formats.tables"},
    "pypdfium2": {"rag.ingest.formats.pdf"}, "lxml": {"rag.ingest.formats.office"}, "plotille": {"rag.eval.markdown_report"}, "datasketch": {"rag.library.duplicates"},
}  # fmt: skip
HEAVY = {
    "torch",
    "sentence_transformers",
    "transformers",
    "chromadb",
    "llama_cpp",
    "textual",
    "numpy",
    "rich",
    "tokenizers",
    "bs4",
    "trafilatura",
    "charset_normalizer",
    "lxml",
    "docx",
    "pptx",
    "openpyxl",
    "pypdfium2",
    "plotille",
    "datasketch",
    "scipy",
}


def _name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def _imports(path: Path, types: bool = False) -> list[tuple[str, bool]]:
    """(module, is it imported at the top) of every import; those for type checkers only where `types`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        id(inner) for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }  # fmt: skip
    found = []
    for node in ast.walk(tree):
        if id(node) in skipped and not types:
            continue
        if isinstance(node, ast.Import):
            found += [(alias.name, node in tree.body) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [
                f"{node.module}.{alias.name}"
                if node.module in ("rag", "tui")
                else node.module or ""
                for alias in node.names
            ]
            found += [(name, node in tree.body) for name in dict.fromkeys(names)]
    return found


def _room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


@pytest.mark.parametrize(
    "path", [p for p in MODULES if p.parts[-2] in ("rag", "eval", "formats")], ids=_name
)
def test_imports_point_down(path: Path) -> None:
    here = path.stem if path.parts[-2] == "rag" else path.parts[-2]
    assert here in LEVELS, f"{here} has no level yet"
    for module, _ in _imports(path):
        if module.startswith("tui"):
            assert here == "cli"
        if not module.startswith("rag"):
            continue
        there = _room(module)
        if there in (here, "__version__", "__init__") or (here, there) in TOGETHER:
            continue
        assert LEVELS[there] < LEVELS[here], (
            f"{_name(path)} (level {LEVELS[here]}) imports {module} (level {LEVELS[there]})"
        )


@pytest.mark.parametrize(
    "path", [p for p in MODULES if p.parts[-2] == "tui" or "tui" in p.parts], ids=_name
)
def test_the_screens_know_only_the_front_door(path: Path) -> None:
    allowed = {
        "bot",
        "bounds",
        "engine",
        "domain",
        "events",
        "errors",
        "config",
        "safe",
        "__version__",
        "__init__",
    }
    assert {_room(m) for m, _ in _imports(path, types=True) if m.startswith("rag")} <= allowed


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_vendor_is_touched_in_one_room_and_when_its_machine_is_opened(path: Path) -> None:
    for module, top in _imports(path):
        vendor = module.split(".")[0]
        rooms = VENDORS.get(vendor, set())
        assert vendor not in VENDORS or any(_name(path).startswith(room) for room in rooms), (
            f"{_name(path)} imports {module}"
        )
        made_elsewhere = path.parts[-2] in (
            "tui",
            "training",
        )  # the screens, and how the weights were made
        assert not (top and vendor in HEAVY and not made_elsewhere), (
            f"{_name(path)}: {module} at the top"
        )


def _loaded(code: str) -> set[str]:
    run = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return {name.split(".")[0] for name in run.stdout.split()}


def test_importing_rag_brings_in_nothing() -> None:
    assert not _loaded("import rag; rag.Bot; rag.Config; rag.Engine") & HEAVY


def test_help_brings_in_nothing() -> None:
    code = "from rag.cli.main import cli\ntry:\n    cli(['--help'], standalone_mode=False)\nexcept SystemExit: pass"
    assert not _loaded(code) & HEAVY


def test_asking_needs_neither_torch_nor_sentence_transformers(seeded: Path) -> None:
    code = f"""from rag import Bot, Config
with Bot.open(Config(home={str(seeded)!r})) as bot:
    events = list(bot.ask("How many individual sanctions has Russia faced?", save=False))
assert "over 5,000" in events[-1].answer.text"""
    loaded = _loaded(code)
    assert {"chromadb", "llama_cpp"} <= loaded
    assert not loaded & {"torch", "sentence_transformers", "transformers"}


def test_the_screen_brings_in_no_machine() -> None:
    assert not _loaded("import tui.app") & {
        "torch",
        "numpy",
        "chromadb",
        "llama_cpp",
        "sentence_transformers",
    }


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_no_room_has_outgrown_the_house(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400, "a module of more than 400 lines is two modules"
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 50, f"{node.name} is longer than 50 lines"
    assert ast.get_docstring(tree), "a module says what it is"


def test_strangers_text_is_never_parsed_as_markup() -> None:
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"markup\s*=\s*True|from_markup\(|Text\.from_ansi", text), path


def test_the_project_speaks_of_itself_alone() -> None:
    files = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    here = re.compile(
        r"(?<![\w.])/(?:home|root|opt|mnt|srv|Users)/\w"
    )  # a path that only one machine has
    for name in files:
        if (ROOT / name).suffix in (
            ".py",
            ".md",
            ".toml",
            ".tcss",
            ".yml",
            "",
        ) and name != "tests/test_house.py":
            assert not here.search((ROOT / name).read_text(encoding="utf-8", errors="replace")), (
                name
            )
