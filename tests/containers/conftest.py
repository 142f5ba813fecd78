"""Where the machine does not permit what a file of tests needs, that is said, and nothing of it counts as tested."""

import pytest

pytest.register_assert_rewrite("rooms")

from rooms import NOT_PERMITTED  # noqa: E402


def pytest_collection_finish(session):
    """A file's `why_not()` tells what the machine forbids, if anything."""
    for module in {item.module for item in session.items}:
        why = module.why_not()
        if why:
            pytest.exit(f"NOT PERMITTED ON THIS MACHINE: {why}; {module.__name__} is NOT TESTED here", NOT_PERMITTED)
