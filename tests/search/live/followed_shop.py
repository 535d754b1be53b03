"""A server that followed equals one that is opened now: in every filter, order, facet and text, whatever happened.

Products are put and removed over the server and by other processes, feeds are indexed and brought up to date, runs
break off and are taken up, and the shop is rolled back. The server looks at any time: before a run, between its commit
and the move of the pointer, after it, or not at all.
"""

import random
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.search.live.shop_life import BREAKS, ShopLife

CHANCES = st.integers(0, 2**32 - 1).map(random.Random)
QUIET = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture)


class FollowedShop(RuleBasedStateMachine):
    """Any order of what happens to a shop; `follow` compares."""

    @initialize()
    def open(self):
        self.folder = Path(tempfile.mkdtemp(prefix="followed-"))
        self.life = ShopLife(self.folder)

    @rule(chance=CHANCES)
    def put(self, chance):
        self.life.put(chance)

    @rule(chance=CHANCES)
    def remove(self, chance):
        self.life.remove(chance)

    @rule(chance=CHANCES)
    def write_elsewhere(self, chance):
        self.life.write_elsewhere(chance)

    @rule(chance=CHANCES, prices_only=st.booleans())
    def update(self, chance, prices_only):
        self.life.update(chance, prices_only)

    @rule(chance=CHANCES, builds=st.booleans(), point=st.sampled_from(("", *BREAKS)))
    def index_while_written(self, chance, builds, point):
        """A run during which others write; it may break off."""
        self.life.index_while_written(chance, builds, point)
        self.life.finish_broken_run()

    @rule()
    def update_from_catalogue(self):
        self.life.update_from_catalogue()

    @rule(chance=CHANCES)
    def build(self, chance):
        self.life.build(chance)

    @rule(chance=CHANCES, builds=st.booleans(), point=st.sampled_from(BREAKS), looks=st.booleans())
    def run_breaks_off(self, chance, builds, point, looks):
        """A run that breaks off; the server may look before another process takes it up."""
        if builds:
            self.life.build(chance, point)
        else:
            self.life.update(chance, prices_only=False, broken=point)
        if looks:
            self.follow()
        self.life.finish_broken_run()

    @rule()
    def roll_back(self):
        self.life.roll_back()

    @rule()
    def restart(self):
        self.life.restart()

    @rule()
    def follow(self):
        self.life.server.follow()
        assert self.life.differences() == []

    @rule()
    def look(self):
        self.life.server.follow()

    def teardown(self):
        if hasattr(self, "life"):
            try:
                self.follow()
            finally:
                self.life.close()
                shutil.rmtree(self.folder, ignore_errors=True)


def live(lives, steps):
    options = settings(
        max_examples=lives,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=QUIET,
        database=None,
        report_multiple_bugs=False,
    )
    run_state_machine_as_test(FollowedShop, settings=options)
