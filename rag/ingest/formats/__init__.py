"""Bytes of one format -> its documents: one function a format, by a maintained library if any.

    plain  text, Markdown, reStructuredText, source code, JSON
    web    HTML                      book    EPUB
    pdf    PDF                       office  Word, PowerPoint
    tables CSV                       data    corpora, notebooks
    excel  Excel                     ods     OpenDocument sheets
    mail   e-mail                    archive .zip, .tar.gz

All files are parsed in a child process with limits (`sandbox`, `sandbox_worker`). A file that is
made to exhaust memory, to run without end or to crash its parser becomes a line of the report.
`registry` maps file name endings to formats. `common` holds the helpers that the formats share.
"""
