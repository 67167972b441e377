"""``python -m rag`` is the command ``footnote``."""

import sys

if __name__ == "__main__":
    if not sys.flags.safe_path:
        del sys.path[
            0
        ]  # the current folder: a file there called like a library of ours must not be imported
    from rag.cli.main import main

    main()
