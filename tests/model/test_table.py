"""The table of workspaces keeps its own rules."""

import math

import pytest

from tests.workspaces import MODIFIER_TYPES, TABLE, TAGS


def test_slugs_are_unique():
    """A slug is the name under which a failure is found."""
    slugs = [case.slug for case in TABLE]
    assert len(set(slugs)) == len(slugs)


def test_tags_are_known_and_all_used():
    """Each tag is explained, and nothing is explained that no workspace has."""
    used = {tag for case in TABLE for tag in case.tags}
    assert used == set(TAGS)
    assert all(case.tags for case in TABLE)


def test_every_modifier_type_is_covered():
    """All seven, and all seven in one workspace."""
    assert set().union(*(case.modifier_types for case in TABLE)) == MODIFIER_TYPES
    assert any(case.modifier_types == MODIFIER_TYPES for case in TABLE)


@pytest.mark.parametrize("case", TABLE, ids=str)
def test_numbers_have_an_origin(case):
    """No expected number without a source, and no entry without any number."""
    assert case.origin
    assert case.best_fit
    assert case.twice_nll is None or math.isfinite(case.twice_nll)
