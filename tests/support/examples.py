"""How many examples a property is tried with: fewer in a quick run."""

from __future__ import annotations

from hypothesis import settings

#: names of profiles of hypothesis: of all tests, and of a quick run
ALL, QUICK = "all", "quick"
_QUICK_EXAMPLES = 20

settings.register_profile(ALL, deadline=None)  # a busy machine is no fault of the code
settings.register_profile(QUICK, deadline=None, max_examples=_QUICK_EXAMPLES)


def examples(count: int) -> settings:
    """Settings with `count` examples; in a quick run with 20 at most."""
    quick = settings.get_current_profile_name() == QUICK
    return settings(max_examples=min(count, _QUICK_EXAMPLES) if quick else count)
