"""The table of an alert's life is whole and honest."""

from itertools import product

from paramedic.rules.lifecycle import TABLE, Effect, Phase, Seen

FIRES = {Phase.FIRING, Phase.KEPT}


def test_every_case_is_in_the_table() -> None:
    assert set(TABLE) == set(product(Phase, Seen))


def test_whoever_begins_to_fire_says_so_and_whoever_ends_says_so_and_nobody_else() -> None:
    for (before, _), (after, effect) in TABLE.items():
        expected = {
            (False, True): Effect.FIRE,
            (True, False): Effect.RESOLVE,
        }.get((before in FIRES, after in FIRES), Effect.NONE)
        assert effect is expected
