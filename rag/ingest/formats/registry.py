"""Which ending is which format, and what to do with those that are not read. Endings decide; nothing is guessed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from rag.domain import RawDocument
from rag.errors import Unreadable
from rag.ingest.formats import plain

_CODE_ENDINGS = (
    "py pyi pyx js mjs cjs ts tsx jsx java kt kts scala groovy c h cc cpp cxx hpp hh cs go rs rb php pl pm sh bash zsh fish ps1 "
    "bat sql r jl swift m mm lua hs ml mli ex exs erl clj cljs lisp el vim dart zig nim f f90 asm s vue svelte proto tf gradle cmake"
).split()
_MARKUP_ENDINGS = (
    "json css scss less yaml yml toml ini cfg conf properties env tex bib xml xsd gitignore".split()
)

#: text: the bytes are decoded, nothing is parsed; in a child process all the same, for what the rules look for in it
IN_PROCESS: dict[str, Callable[[bytes], Iterator[RawDocument]]] = {
    **dict.fromkeys((".txt", ".text", ".log", ".org", ".adoc", ".asciidoc"), plain.read_text),
    **dict.fromkeys((".md", ".markdown"), plain.read_markdown),
    **dict.fromkeys((".rst", ".rest"), plain.read_rst),
    **dict.fromkeys((f".{ending}" for ending in _CODE_ENDINGS), plain.read_code),
    **dict.fromkeys((f".{ending}" for ending in _MARKUP_ENDINGS), plain.read_lines),
}
#: read in a child process: the module of `rag.ingest.formats` and its function
IN_SANDBOX: dict[str, tuple[str, str]] = {
    ".html": ("web", "read_html"),
    ".htm": ("web", "read_html"),
    ".xhtml": ("web", "read_html"),
    ".csv": ("tables", "read_csv"),
    ".tsv": ("tables", "read_csv"),
    ".xlsx": ("tables", "read_xlsx"),
    ".xlsm": ("tables", "read_xlsx"),
    ".jsonl": ("data", "read_corpus"),
    ".ndjson": ("data", "read_corpus"),
    ".ipynb": ("data", "read_notebook"),
    ".eml": ("mail", "read_eml"),
    ".docx": ("office", "read_docx"),
    ".docm": ("office", "read_docx"),
    ".pptx": ("office", "read_pptx"),
    ".pptm": ("office", "read_pptx"),
    ".pdf": ("pdf", "read_pdf"),
    ".epub": ("book", "read_epub"),
}
#: folders in one file; their members are documents
ARCHIVES: dict[str, tuple[str, str]] = {
    ".zip": ("archive", "read_zip"),
    ".tar": ("archive", "read_tar"),
    ".tgz": ("archive", "read_tar"),
    ".tar.gz": ("archive", "read_tar"),
    ".tar.bz2": ("archive", "read_tar"),
    ".tar.xz": ("archive", "read_tar"),
}
CORPORA = (".jsonl", ".ndjson")  #: documents of these are called by their ids
#: files without an ending that are known by their name
_ENDING_BY_NAME: dict[str, str] = {
    **dict.fromkeys("readme license licence copying changelog changes authors contributing notice todo news".split(), ".txt"),
    **dict.fromkeys("makefile dockerfile rakefile gemfile jenkinsfile vagrantfile".split(), ".yaml"),
}  # fmt: skip
_PICTURE = (
    "is a picture or a scan, and text in pictures is not recognised (no OCR)",
    "run OCR on it, then add the text",
)
_SOUND = ("is sound or film", "write down what is said in it, then add the text")
_PACKED = ("is an archive of a kind that is not opened", "unpack it, then add the folder")
_UNREADABLE_KINDS: dict[str, tuple[str, str]] = {
    ".doc": ("is a Word file of the old binary kind", "save it as .docx"),
    ".xls": ("is an Excel file of the old binary kind", "save it as .xlsx"),
    ".ppt": ("is a PowerPoint file of the old binary kind", "save it as .pptx"),
    ".rtf": ("is rich text (RTF)", "save it as .docx or .txt"),
    ".odt": ("is an OpenDocument text", "save it as .docx"),
    ".ods": ("is an OpenDocument table", "save it as .xlsx or .csv"),
    ".odp": ("is an OpenDocument presentation", "save it as .pptx or .pdf"),
    ".pages": ("is a Pages file", "export it as .docx or .pdf"),
    ".numbers": ("is a Numbers file", "export it as .xlsx or .csv"),
    ".key": ("is a Keynote file", "export it as .pptx or .pdf"),
    ".msg": ("is an e-mail in Outlook's own format", "save it as .eml"),
    ".mbox": ("is a mailbox of many e-mails", "export the e-mails as .eml files"),
    ".mobi": ("is a Kindle book", "convert it to .epub"),
    ".azw3": ("is a Kindle book", "convert it to .epub"),
    ".djvu": _PICTURE,
    **dict.fromkeys(
        (".png", ".jpg", ".jpeg", ".gif", ".tif", ".tiff", ".bmp", ".webp", ".heic", ".svg"),
        _PICTURE,
    ),
    **dict.fromkeys(
        (".mp3", ".wav", ".m4a", ".flac", ".ogg", ".mp4", ".mkv", ".mov", ".avi", ".webm"), _SOUND
    ),
    **dict.fromkeys((".7z", ".rar", ".bz2", ".xz", ".zst", ".cab", ".iso", ".jar"), _PACKED),
}


def file_format(name: str) -> tuple[str, bool]:
    """The ending that says how `name` is read, and whether the file is gzipped. Raises `Unreadable` for what is not read."""
    low = os.path.basename(name).lower()
    for ending in ARCHIVES:
        if low.endswith(ending):
            return ending, False
    bare = low.removesuffix(".gz")
    ending = os.path.splitext(bare)[1] or _ENDING_BY_NAME.get(bare, "")
    if ending in IN_PROCESS or ending in IN_SANDBOX:
        return ending, bare != low
    shown = " ".join(
        sorted(
            (
                ".txt .md .rst .html .pdf .docx .pptx .xlsx .csv .epub .eml .ipynb .json .jsonl .zip"
            ).split()
        )
    )
    raise Unreadable(
        *_UNREADABLE_KINDS.get(
            ending,
            (
                f"is of a kind that is not read ({ending or 'no ending'})",
                f"save it as one of {shown}",
            ),
        )
    )
