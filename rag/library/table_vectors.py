"""The vector that stands for a row of a large table, which has none: that of the first chunk.

That chunk has the same names of columns and the first rows, so its cosine with a question tells how
near the table is; which row of the table is meant, the words decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag.library.database import Database

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: values in one SQL statement
_MAX_VALUES = 500
#: a table is what stands under one heading of a document; its first chunk has the lowest number
_SELECT_FIRST = (
    "SELECT vector FROM chunks WHERE document = ? AND heading = ? AND length(vector) > 0 "
    "ORDER BY number LIMIT 1"
)


class TableVectors:
    """Which chunks of an open library have a vector, and what stands for a missing one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ids_without_vector(self) -> set[str]:
        """Return the ids of the chunks that are found by words alone."""
        rows = self._database.execute("SELECT id FROM chunks WHERE length(vector) = 0")
        return {row[0] for row in rows}

    def ids_with_vector(self) -> set[str]:
        """Return the ids of the chunks that have a vector; the vectors of the index are theirs."""
        rows = self._database.execute("SELECT id FROM chunks WHERE length(vector) > 0")
        return {row[0] for row in rows}

    def cosines(self, chunk_ids: Sequence[str], vector: NDArray[np.float32]) -> dict[str, float]:
        """Return for each chunk the cosine of its table with a unit vector, shape (dimension,).

        An unknown id, and a chunk of a table without a vector of this length, are left out.
        Checksums are not compared, as in `Documents.cosines`.
        """
        import numpy as np

        found, of_table = dict[str, float](), dict[tuple[str, str], float | None]()
        for start in range(0, len(chunk_ids), _MAX_VALUES):
            part = chunk_ids[start : start + _MAX_VALUES]
            marks = ",".join("?" * len(part))
            select = f"SELECT id, document, heading FROM chunks WHERE id IN ({marks})"  # noqa: S608
            for chunk_id, document, heading in self._database.execute(select, part).fetchall():
                table = document, heading
                if table not in of_table:
                    row = self._database.execute(_SELECT_FIRST, table).fetchone()
                    is_usable = row is not None and len(row[0]) == vector.nbytes
                    of_table[table] = (
                        float(np.frombuffer(row[0], np.float32) @ vector) if is_usable else None
                    )
                cosine = of_table[table]
                if cosine is not None:
                    found[chunk_id] = cosine
        return found
