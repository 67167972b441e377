"""Files and the errors of the disk: opened safely, written whole or not at all, named in words."""
