"""``python -m rag`` is the command ``footnote``."""

import sys

if __name__ == "__main__":
    if not sys.flags.safe_path:
        # The current folder: a file there that is named like a library must not be imported.
        del sys.path[0]
    from rag.cli.main import main

    main()
