"""Chance at work: any order of imports, calls, openings, slips, rings, merges, deaths; and what must hold after each.

A long run: CRISISDESK_MACHINE_EXAMPLES=2000 python -m pytest tests/queue/test_machine.py -s
"""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from machine import LAST_WORDS, TALLY, bound, make_template

LONG = int(os.environ.get("CRISISDESK_MACHINE_EXAMPLES", "0"))
SHRINK = "CRISISDESK_MACHINE_SHRINK" in os.environ
STEPS = int(os.environ.get("CRISISDESK_MACHINE_STEPS", "35"))


@pytest.mark.timeout(0 if LONG else 180)
def test_whatever_happens_the_accounts_add_up(tmp_path: Path) -> None:
    template = make_template(tmp_path)
    run_state_machine_as_test(
        bound(template),
        settings=settings(
            max_examples=LONG or 25, stateful_step_count=STEPS, deadline=None, derandomize=not LONG, database=None,
            suppress_health_check=list(HealthCheck), print_blob=bool(LONG),
            phases=[Phase.generate, Phase.shrink] if SHRINK else [Phase.generate],
        ),
    )  # fmt: skip
    print(TALLY.words())
    print("\n".join(sorted(LAST_WORDS)))
