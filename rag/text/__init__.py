"""Pure functions over text: sentences, facts, copies, boilerplate, sanitizing.

They read no file and run no model.
"""
