"""The command `footnote`: arguments, progress, printing, exit codes."""
