"""Bytes of one format -> its documents: one function a format, by a maintained library if any.

    plain  text, Markdown, reStructuredText, source code, JSON
    web    HTML                      book    EPUB
    pdf    PDF                       office  Word, PowerPoint
    tables CSV                       data    corpora, notebooks
    excel  Excel                     ods     OpenDocument sheets
    mail   .eml, .mbox               outlook .msg
    cards  .vcf                      calendar_entries .ics
    archive .zip, .tar.gz

A mail of any kind is parsed to the same form (`mime`, `outlook`) and becomes a text by `mail_text`.

All files are parsed in a child process with limits (`sandbox`, `sandbox_worker`). A file that is
made to exhaust memory, to run without end or to crash its parser becomes a line of the report.
`registry` maps file name endings to formats. `common` holds the helpers that the formats share.
"""
