"""The architecture: import contracts, who may import a third-party library, what an import costs, sizes."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted([*ROOT.glob("rag/**/*.py"), *ROOT.glob("tui/**/*.py")])

#: third-party libraries that one module (or package) alone may import
OWNERS = {
    "torch": ("rag.inference.sentence_models", "rag.training"),
    "sentence_transformers": ("rag.inference.sentence_models",),
    "transformers": ("rag.inference.sentence_models",),
    "llama_cpp": ("rag.inference.llama",),
    "chromadb": ("rag.index.chroma",),
    "datasketch": ("rag.library.duplicates",),
    "textual": ("tui",),
    "bs4": ("rag.ingest.formats.web", "rag.ingest.formats.html_mail"),
    "olefile": ("rag.ingest.formats.outlook",),
    "trafilatura": ("rag.ingest.formats.web",),
    "charset_normalizer": ("rag.ingest.formats.common",),
    "docx": ("rag.ingest.formats.word",),
    "pptx": ("rag.ingest.formats.slides",),
    "lxml": ("rag.ingest.formats.xml_parts", "rag.ingest.formats.ods"),
    "openpyxl": ("rag.ingest.formats.excel",),
    "pypdfium2": ("rag.ingest.formats.pdf", "rag.ingest.formats.pdf_words"),
    "plotille": ("rag.eval.markdown_report",),
    "huggingface_hub": ("rag.model_store.hub",),
    "httpx": ("rag.inference.server_connection",),
}
#: the only modules that may open a connection, and what a connection is opened with
CONNECTED = (
    "rag.model_store.download",
    "rag.model_store.hub",
    "rag.inference.server_connection",
)
NETWORK = (
    *("urllib.request", "http", "socket", "ssl", "ftplib", "smtplib", "huggingface_hub"),
    *("httpx", "httpx2", "requests", "urllib3", "aiohttp", "websockets"),
)
#: imports socket to replace a part of it
NO_CONNECTION = ("rag.ingest.formats.sandbox_worker",)
#: (module, function) of every call of `harden_process`: programs and child processes
HARDENED = {
    ("rag.cli.main", "run_command"),
    ("rag.engine.child", "serve"),
    ("rag.inference.chat_child", "main"),
    ("rag.inference.isolated_call", "main"),
    ("rag.ingest.formats.sandbox_worker", "main"),
    ("rag.training.__main__", "main"),
    ("rag.training.juror", "main"),
    ("rag.training.measure", "main"),
    ("rag.training.part_reader", "main"),
}
#: libraries that take long to import: only inside functions, but for the screens and the training
HEAVY = {*OWNERS, "numpy", "rich", "scipy", "tokenizers"}


#: what is still larger than it should be: lines of modules, lines of classes
LARGE_MODULES: dict[str, int] = {}
LARGE_CLASSES: dict[str, int] = {}
LARGE_FUNCTIONS: dict[str, int] = {}


def _name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


NAMES = {_name(path) for path in MODULES}


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def _imports(path: Path) -> list[tuple[str, bool]]:
    """(module, whether it is imported at the top) of every import that is not for type checkers."""
    tree = _tree(path)
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    modules = list[tuple[str, bool]]()
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            modules += [(alias.name, node in tree.body) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            modules += [(n if n in NAMES else node.module, node in tree.body) for n in names]
    return modules


@pytest.mark.slow
def test_the_import_contracts_of_pyproject_hold() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_modules_import_each_other_in_a_circle() -> None:
    needs = {
        _name(path): {m for m, _ in _imports(path)} & NAMES - {_name(path)} for path in MODULES
    }
    while leaves := {name for name, below in needs.items() if not below & needs.keys()}:
        needs = {name: below for name, below in needs.items() if name not in leaves}
    assert not needs


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_library_is_imported_by_its_owner_and_when_it_is_needed(path: Path) -> None:
    name = _name(path)
    for module, at_top in _imports(path):
        library = module.split(".")[0]
        owners = OWNERS.get(library)
        assert owners is None or name.startswith(owners), f"{name} imports {module}"
        if at_top and library in HEAVY:
            assert name.startswith(("tui", "rag.training")), f"{name}: {module} at the top"


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_only_models_that_are_fetched_or_served_can_open_a_connection(path: Path) -> None:
    name = _name(path)
    found = [m for m, _ in _imports(path) if any(f"{m}.".startswith(f"{n}.") for n in NETWORK)]
    assert not found or name in (*CONNECTED, *NO_CONNECTION), f"{name} imports {found}"


def _modules(code: str) -> set[str]:
    """Names of the modules that a new interpreter has after `code`."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return set(done.stdout.split())


def _loaded(code: str) -> set[str]:
    """Top-level names of the modules that a new interpreter has after `code`."""
    return {name.split(".")[0] for name in _modules(code)}


def test_importing_rag_brings_in_nothing() -> None:
    assert not _loaded("import rag; rag.Bot; rag.Config; rag.Engine") & HEAVY


def test_help_brings_in_nothing() -> None:
    code = (
        "from rag.cli.main import cli\n"
        "try:\n    cli(['--help'], standalone_mode=False)\nexcept SystemExit: pass"
    )
    assert not _loaded(code) & HEAVY


def test_asking_needs_neither_torch_nor_sentence_transformers(seeded: Path) -> None:
    code = f"""from rag import Bot, Config
with Bot.open(Config(home={str(seeded)!r})) as bot:
    events = list(bot.ask("How many individual sanctions has Russia faced?", save=False))
assert "over 5,000" in events[-1].answer.text"""
    loaded = _loaded(code)
    assert {"chromadb", "llama_cpp"} <= loaded
    assert not loaded & {"torch", "sentence_transformers", "transformers"}


def test_asking_and_searching_renew_the_index_without_the_ingest(home: Path) -> None:
    """The index renews itself: neither way of a question reaches for the way of a document."""
    folder = home / "libraries" / "default" / "vectors"
    question = "How many individual sanctions has Russia faced?"
    opened = f"from rag import Bot, Config\nwith Bot.open(Config(home={str(home)!r})) as bot:\n"
    for code in (
        f"    assert bot.search({question!r})",
        f"    assert list(bot.ask({question!r}, save=False))[-1].answer.text",
    ):
        for manifest in folder.glob("gen-*.json"):
            manifest.unlink()
        modules = _modules(opened + code)
        assert "rag.index.index" in modules and "rag.ingest.ingest" not in modules
        assert len(list(folder.glob("gen-*.json"))) == 1  # it was made again


def test_the_screen_brings_in_no_model() -> None:
    models = {"torch", "numpy", "chromadb", "llama_cpp", "sentence_transformers"}
    assert not _loaded("import tui.app") & models
    modules = _modules("import tui.app, rag.engine")
    ways = ("rag.bot", "rag.answer", "rag.library", "rag.index", "rag.search", "rag.ingest")
    assert not [name for name in modules if f"{name}.".startswith(tuple(f"{w}." for w in ways))]


def test_only_programs_and_children_harden_their_process() -> None:
    calls = {
        (_name(path), function.name)
        for path in MODULES
        for function in ast.walk(_tree(path))
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "harden_process"
    }
    assert calls == HARDENED


def test_the_top_of_the_tree_stays_short() -> None:
    assert len(list(ROOT.glob("rag/*.py"))) <= 16


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_modules_classes_and_functions_keep_their_size(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= LARGE_MODULES.get(_name(path), 400)
    tree = _tree(path)
    assert ast.get_docstring(tree), "a module says what it is"
    for node in ast.walk(tree):
        lines = (getattr(node, "end_lineno", 0) or 0) - getattr(node, "lineno", 0) + 1
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert lines <= LARGE_FUNCTIONS.get(node.name, 50), (
                f"{node.name} is longer than 50 lines"
            )
        if isinstance(node, ast.ClassDef):
            assert lines <= LARGE_CLASSES.get(node.name, 250), f"{node.name} is too long"


def test_strangers_text_is_never_parsed_as_markup() -> None:
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"markup\s*=\s*True|from_markup\(|Text\.from_ansi", text), path


def test_the_project_speaks_of_itself_alone() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    one_machine = re.compile(r"(?<![\w.])/(?:home|root|opt|mnt|srv|Users)/\w")
    for name in listed.stdout.split():
        if Path(name).suffix in (".py", ".md", ".toml", ".tcss", ".yml", ".yaml", ".json", ""):
            if name == "tests/test_architecture.py":
                continue
            text = (ROOT / name).read_text(encoding="utf-8", errors="replace")
            assert not one_machine.search(text), name
