"""Recognises text in pictures of pages (OCR), with the extra `ocr`.

The engine is RapidOCR: the models of PaddleOCR, 16 MB in the package, run by ONNX Runtime, which
chromadb brings. It needs no network, about 3 seconds of processor time for a page and 600 MB of
memory, and runs in the child process only. Any other engine can fill `Engine`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple, Protocol

from rag.ingest.formats.pdf_words import Word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PACKAGE = "rapidocr_onnxruntime"
#: what helps where the extra is not installed
OCR_CURE = "install the extra: pip install 'footnote-answers[ocr]'; or run OCR on it, then add it"
#: seconds of processor time for the text of one file's pictures, and the part of them after which
#: no further page is begun
OCR_SECONDS, _LAST_BEGIN = 240.0, 0.85
#: a line that is recognised with less confidence is dropped
_MIN_CONFIDENCE = 0.5


class TextBox(NamedTuple):
    """A line of text in a picture; places are pixels from its upper left corner."""

    x0: float
    y0: float
    x1: float
    y1: float
    text: str
    confidence: float  #: 0..1


class Engine(Protocol):
    """Interface of an engine that recognises text: lines of an image of shape (y, x, 3)."""

    def read(self, image: NDArray[np.uint8]) -> list[TextBox]: ...


class Recognized(NamedTuple):
    """The words of a picture, and the mean confidence of its letters."""

    words: list[Word]
    confidence: float

    @property
    def says(self) -> str:
        """How the text came about, in words."""
        return f"read by OCR, confidence {min(99, round(100 * self.confidence))} %"


class RapidOcr:
    """The engine of the extra `ocr`."""

    def __init__(self) -> None:
        from rapidocr_onnxruntime import RapidOCR

        self._ocr = RapidOCR(intra_op_num_threads=1, inter_op_num_threads=1)

    def read(self, image: NDArray[np.uint8]) -> list[TextBox]:
        """Return the lines of an image."""
        found, _ = self._ocr(image)
        boxes = []
        for corners, text, confidence in found or ():
            xs, ys = zip(*corners, strict=True)
            boxes.append(TextBox(min(xs), min(ys), max(xs), max(ys), text, float(confidence)))
        return boxes


def available() -> bool:
    """Whether the extra is installed."""
    return find_spec(_PACKAGE) is not None


@cache
def engine() -> Engine:
    """The engine, opened once in a process."""
    return RapidOcr()


def time_is_left(started: float) -> bool:
    """Whether a further page may be begun; `started` is the processor time at the beginning."""
    return time.process_time() - started < _LAST_BEGIN * OCR_SECONDS


def recognize(image: NDArray[np.uint8], scale: float = 1.0) -> Recognized:
    """Return the words of an image, with places in points; a point has `scale` pixels."""
    boxes = [
        box
        for box in engine().read(image)
        if box.confidence >= _MIN_CONFIDENCE and box.text.strip()
    ]
    letters = sum(len(box.text) for box in boxes)
    sure = sum(len(box.text) * box.confidence for box in boxes)
    return Recognized(_words(boxes, scale), sure / letters if letters else 0.0)


def _words(boxes: Sequence[TextBox], scale: float) -> list[Word]:
    """The words of lines; a word has its share of the width of its line."""
    words = []
    for box in boxes:
        at, width = 0, (box.x1 - box.x0) / len(box.text)
        for text in box.text.split():
            at = box.text.index(text, at)
            x0 = box.x0 + at * width
            at += len(text)
            x1 = box.x0 + at * width
            words.append(Word(x0 / scale, box.y0 / scale, x1 / scale, box.y1 / scale, text))
    return words
