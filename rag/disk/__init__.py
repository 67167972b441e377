"""Files and disk errors: open files safely, write them atomically, describe errors in words."""
