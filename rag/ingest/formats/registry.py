"""Maps the endings of file names to formats, and endings that are not read to a reason and a cure.

The ending alone decides; nothing is guessed from the content.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from rag.domain import RawDocument
from rag.errors import Unreadable
from rag.ingest.formats import plain
from rag.ingest.formats.ocr import OCR_CURE, available

_CODE_ENDINGS = (
    "py pyi pyx js mjs cjs ts tsx jsx java kt kts scala groovy c h cc cpp cxx hpp hh cs go rs rb "
    "php pl pm sh bash zsh fish ps1 bat sql r jl swift m mm lua hs ml mli ex exs erl clj cljs lisp "
    "el vim dart zig nim f f90 asm s vue svelte proto tf gradle cmake"
).split()
_MARKUP_ENDINGS = "css scss less tex bib xml xsd gitignore".split()

#: text formats: the bytes are decoded and not parsed. The child process calls these functions too,
#: because the rules that look for titles and furniture run there
IN_PROCESS: dict[str, Callable[[bytes], Iterator[RawDocument]]] = {
    **dict.fromkeys((".txt", ".text", ".org", ".adoc", ".asciidoc"), plain.read_text),
    ".log": plain.read_log,
    **dict.fromkeys((".md", ".markdown"), plain.read_markdown),
    **dict.fromkeys((".rst", ".rest"), plain.read_rst),
    **dict.fromkeys((f".{ending}" for ending in _CODE_ENDINGS), plain.read_code),
    **dict.fromkeys((f".{ending}" for ending in _MARKUP_ENDINGS), plain.read_lines),
    ".json": plain.read_json,
    **dict.fromkeys((".yaml", ".yml"), plain.read_yaml),
    **dict.fromkeys((".toml", ".ini", ".cfg", ".properties", ".env"), plain.read_ini),
    ".conf": plain.read_conf,
}
#: parsed formats: the module of `rag.ingest.formats` that the child imports, and its function
IN_SANDBOX: dict[str, tuple[str, str]] = {
    ".html": ("web", "read_html"),
    ".htm": ("web", "read_html"),
    ".xhtml": ("web", "read_html"),
    ".csv": ("tables", "read_csv"),
    ".tsv": ("tables", "read_csv"),
    ".xlsx": ("excel", "read_xlsx"),
    ".xlsm": ("excel", "read_xlsx"),
    ".ods": ("ods", "read_ods"),
    ".jsonl": ("data", "read_corpus"),
    ".ndjson": ("data", "read_corpus"),
    ".ipynb": ("data", "read_notebook"),
    ".eml": ("mail", "read_eml"),
    ".emlx": ("mail", "read_emlx"),
    ".mbox": ("mail", "read_mbox"),
    ".msg": ("outlook", "read_msg"),
    ".vcf": ("cards", "read_vcf"),
    ".vcard": ("cards", "read_vcf"),
    ".ics": ("calendar_entries", "read_ics"),
    ".ical": ("calendar_entries", "read_ics"),
    ".docx": ("word", "read_docx"),
    ".docm": ("word", "read_docx"),
    ".pptx": ("slides", "read_pptx"),
    ".pptm": ("slides", "read_pptx"),
    ".odt": ("opendocument", "read_odt"),
    ".odp": ("opendocument", "read_odp"),
    ".rtf": ("richtext", "read_rtf"),
    ".pdf": ("pdf", "read_pdf"),
    ".epub": ("book", "read_epub"),
}
#: pictures of pages, which are read if the extra `ocr` is installed; as `IN_SANDBOX`
PICTURES: dict[str, tuple[str, str]] = dict.fromkeys(
    ".png .jpg .jpeg .tif .tiff .bmp .webp".split(), ("picture", "read_picture")
)
#: the kind of a PDF whose pages without text are read by OCR
SCANNED_PDF = ".pdf with OCR"
#: kinds that are read by OCR
RECOGNISED: dict[str, tuple[str, str]] = {**PICTURES, SCANNED_PDF: ("pdf", "read_scanned_pdf")}
#: archives, whose members are documents; as `IN_SANDBOX`
ARCHIVES: dict[str, tuple[str, str]] = {
    ".zip": ("archive", "read_zip"),
    ".tar": ("archive", "read_tar"),
    ".tgz": ("archive", "read_tar"),
    ".tar.gz": ("archive", "read_tar"),
    ".tar.bz2": ("archive", "read_tar"),
    ".tar.xz": ("archive", "read_tar"),
}
#: corpora, in which the source of a document is its id
CORPORA = (".jsonl", ".ndjson")
_TEXT_NAMES = (
    "readme license licence copying changelog changes authors contributing notice todo news"
).split()
_RECIPE_NAMES = "makefile dockerfile rakefile gemfile jenkinsfile vagrantfile".split()
#: files without an ending: the ending that their name stands for
_ENDING_BY_NAME: dict[str, str] = {
    **dict.fromkeys(_TEXT_NAMES, ".txt"),
    **dict.fromkeys(_RECIPE_NAMES, ".gitignore"),  # lines
}
_PICTURE = (
    "is a picture or a scan, and text in pictures is not recognised (no OCR)",
    OCR_CURE,
)
_SOUND = ("is sound or film", "write down what is said in it, then add the text")
_PACKED = ("is an archive of a kind that is not opened", "unpack it, then add the folder")
_PICTURE_ENDINGS = ".png .jpg .jpeg .gif .tif .tiff .bmp .webp .heic .svg".split()
_SOUND_ENDINGS = ".mp3 .wav .m4a .flac .ogg .mp4 .mkv .mov .avi .webm".split()
_PACKED_ENDINGS = ".7z .rar .bz2 .xz .zst .cab .iso .jar".split()
#: reason and cure for endings that are known and not read
_UNREADABLE_KINDS: dict[str, tuple[str, str]] = {
    ".doc": ("is a Word file of the old binary kind", "save it as .docx"),
    ".xls": ("is an Excel file of the old binary kind", "save it as .xlsx"),
    ".ppt": ("is a PowerPoint file of the old binary kind", "save it as .pptx"),
    ".pages": ("is a Pages file", "export it as .docx or .pdf"),
    ".numbers": ("is a Numbers file", "export it as .xlsx or .csv"),
    ".key": ("is a Keynote file", "export it as .pptx or .pdf"),
    ".pst": ("is a mailbox of Outlook", "export its mails as .eml, .msg or .mbox"),
    ".ost": ("is a mailbox of Outlook", "export its mails as .eml, .msg or .mbox"),
    ".dat": ("is of a kind that is not read (.dat)", "save what is in it in a format of its own"),
    ".mobi": ("is a Kindle book", "convert it to .epub"),
    ".azw3": ("is a Kindle book", "convert it to .epub"),
    ".djvu": _PICTURE,
    **dict.fromkeys(_PICTURE_ENDINGS, _PICTURE),
    **dict.fromkeys(_SOUND_ENDINGS, _SOUND),
    **dict.fromkeys(_PACKED_ENDINGS, _PACKED),
}
#: formats that a user is told to save a file in
_SUGGESTED_ENDINGS = (
    ".csv .docx .eml .epub .html .ipynb .json .jsonl .md .ods .odt .pdf .pptx .rst .rtf .txt .xlsx"
)


def file_format(name: str) -> tuple[str, bool]:
    """Return the ending that decides how `name` is read, and whether the file is gzipped.

    Raises `Unreadable` for a format that is not read.
    """
    file_name = os.path.basename(name).lower()
    for ending in ARCHIVES:
        if file_name.endswith(ending):
            return ending, False
    bare = file_name.removesuffix(".gz")
    ending = os.path.splitext(bare)[1] or _ENDING_BY_NAME.get(bare, "")
    if ending in IN_PROCESS or ending in IN_SANDBOX:
        return ending, bare != file_name
    if ending in PICTURES and available():
        return ending, bare != file_name
    unknown = (
        f"is of a kind that is not read ({ending or 'no ending'})",
        f"save it as one of {_SUGGESTED_ENDINGS}",
    )
    raise Unreadable(*_UNREADABLE_KINDS.get(ending, unknown))
