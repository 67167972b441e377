"""Bytes of one format -> its documents: one small function a format, each of a well-kept library where there is one.

    plain  text, Markdown, reStructuredText, source code, JSON
    web    HTML                      book    EPUB
    pdf    PDF                       office  Word, PowerPoint
    tables CSV, Excel                data    corpora, notebooks
    mail   e-mail                    archive .zip, .tar.gz

All are read in a child process with limits (`apart`, `child`): a file made to eat memory, to run for ever or
to crash its parser ends as a line of a report. `kinds` says which ending is which format; `text` holds what they share.
"""
