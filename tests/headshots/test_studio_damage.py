"""The studio's benchmark: measuring only what a damage can change says what judging in full says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.studio_damage import DAMAGES, codes_after, count_swaps, subjects
from benchmarks.studio_people import judge_shown, painted_company, painted_team
from tasks.headshots.kit import BrandKit
from tasks.vision.faces import Eyes

OF_THE_PAIR = {"finished_skin", "finished_texture"}  # need the source, which a judge of the pixels alone has not
OF_LIKENESS = {"likeness", "relative_likeness", "wrong_person", "margin", "copied"}


@pytest.mark.slow
def test_damage_measured_in_part_is_flagged_as_when_judged_in_full(kits: dict[str, BrandKit], eyes: Eyes) -> None:
    kit = kits["northwind"]
    company = painted_company(2, 5, eyes)
    team = painted_team(company, kit, eyes, 128, 320)
    verdicts = {shown.employee_id: judge_shown(shown, company, kit, eyes) for shown in team}
    everybody = subjects(team, verdicts, eyes)
    assert len(everybody) == 2
    one = everybody[0]
    for damage in DAMAGES:
        dose = damage.doses[-1]
        hurt = replace(one.shown, picture=damage.hurt(one, dose, eyes), measures=None)
        in_full = {flag.code for flag in judge_shown(hurt, company, kit, eyes).flags} - OF_LIKENESS
        in_part = codes_after(damage, dose, one, company, kit, eyes)
        alone = damage.codes - OF_THE_PAIR
        assert in_part & alone == in_full & alone, damage.name
        assert damage.codes & OF_THE_PAIR <= in_part, damage.name
    caught, tried = count_swaps(everybody, company, kit, eyes)
    assert caught == tried == 2
