"""Many sign in at once through a real sshd. The whole storm: python tests/campaigns storm"""

from pathlib import Path

import pytest

from campaigns import loopback
from campaigns.cuts import prepare
from campaigns.storm import report, storm

NAMES = [f"storm{number}" for number in range(5)]


@pytest.mark.parametrize(("max_startups", "all_in"), [(loopback.RECOMMENDED, True), ("1:100:1", False)])
def test_everybody_is_let_in_where_sshd_takes_enough_at_once(tmp_path: Path, max_startups: str, all_in: bool) -> None:
    if why := loopback.why_not():
        print(why)
        pytest.skip(why)
    desk = tmp_path / "desk.db"
    prepare(desk, NAMES, lease_seconds=600, callbacks=10)
    with loopback.Loopback(desk, NAMES, tmp_path / "ssh", max_startups=max_startups) as rig:
        outcome = storm(rig, NAMES, 100)
    print(report(max_startups, outcome))
    assert len(outcome.reached) + outcome.refused == len(NAMES)
    assert (outcome.refused == 0) == all_in
    assert outcome.processes == len(outcome.reached)
    assert outcome.pss > 0 or not outcome.reached
