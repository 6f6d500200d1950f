"""What hair and cloth are asked for: structure where the truth has it, at its own fineness, and never a grid."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from synthetic.training.strands import ALONE, Judging, PatchJudge, passing_loss, telling_loss, weighed
from synthetic.training.texture import kept_bands, spectrum_loss, texture_loss

EVERYWHERE, NOWHERE = torch.ones(2, 1, 8, 8), torch.zeros(2, 1, 8, 8)


def strands(seed: int = 0) -> Tensor:
    """Two pictures of 64 px of upright strands, some pixels wide."""
    random = torch.Generator().manual_seed(seed)
    across = functional.avg_pool1d(torch.rand(2, 1, 68, generator=random), 5, 1)
    across = (across - across.mean()) / across.std() * 0.2
    return across[:, :, None].expand(2, 3, 64, 64).contiguous()


def smear(pictures: Tensor) -> Tensor:
    return functional.avg_pool2d(functional.pad(pictures, (6, 6, 6, 6), mode="reflect"), 13, 1)


def grid(pictures: Tensor, strength: float) -> Tensor:
    """A smear under lines of two pixels."""
    return smear(pictures) + strength * (torch.arange(64) % 2 * 2.0 - 1)


def test_a_grid_pays_by_contrast_and_costs_by_spectrum() -> None:
    true = strands()
    woven = grid(true, 0.08)
    assert texture_loss(woven, true, EVERYWHERE) < texture_loss(smear(true), true, EVERYWHERE)
    assert spectrum_loss(woven, true, EVERYWHERE) > 1.1 * spectrum_loss(smear(true), true, EVERYWHERE)


def test_strands_of_another_head_are_nearer_than_none() -> None:
    true = strands()
    assert spectrum_loss(true.roll(5, 3), true, EVERYWHERE) < 0.5 * spectrum_loss(smear(true), true, EVERYWHERE)
    assert spectrum_loss(strands(1), true, EVERYWHERE) < 0.7 * spectrum_loss(smear(true), true, EVERYWHERE)
    across = true.transpose(2, 3)  # of the right fineness in the wrong direction
    assert spectrum_loss(across, true, EVERYWHERE) > spectrum_loss(strands(1), true, EVERYWHERE)
    assert spectrum_loss(smear(true), true, NOWHERE) == 0


def test_the_figures_name_a_grid_as_the_finest_lines() -> None:
    true = strands()
    assert kept_bands(true, true, EVERYWHERE) == pytest.approx([1, 1, 1, 1])
    melted, woven = kept_bands(smear(true), true, EVERYWHERE), kept_bands(grid(true, 0.08), true, EVERYWHERE)
    assert max(melted[1:]) < 0.5
    assert woven[3] > 10
    assert woven[1] < 0.5


def test_a_judge_learns_to_tell_and_is_asked_about_hair_alone() -> None:
    torch.manual_seed(0)
    true, judging = strands(), Judging(0.5, 1, torch.device("cpu"))
    first = judging.learn(smear(true), true, EVERYWHERE)
    for _ in range(40):
        last = judging.learn(smear(true), true, EVERYWHERE)
    assert last < 0.5 * first
    assert passing_loss(judging.net, strands(1), true, EVERYWHERE) < passing_loss(
        judging.net, smear(true), true, EVERYWHERE
    )
    assert telling_loss(judging.net, smear(true), true, NOWHERE) == 0
    assert passing_loss(judging.net, smear(true), true, NOWHERE) == 0


def test_a_new_judge_is_not_listened_to() -> None:
    true, judging = strands(), Judging(0.5, 1, torch.device("cpu"))

    def told() -> tuple[Tensor, Tensor]:
        made = smear(true).requires_grad_()
        pixels = ((made - true) ** 2).mean()
        alone = torch.autograd.grad(pixels, made, retain_graph=True)[0]
        return judging.gradient(pixels, made, true, EVERYWHERE), alone

    assert torch.equal(*told())
    judging.steps = ALONE
    assert not torch.equal(*told())


@pytest.mark.parametrize("share", [0.25, 1.0])
def test_the_judges_say_is_a_share_of_the_pixels(share: float) -> None:
    torch.manual_seed(0)
    true, judge = strands(), PatchJudge()
    half = EVERYWHERE.clone()
    half[..., 4:] = 0
    made = smear(true).requires_grad_()
    pixels = ((made - true) ** 2).mean()
    alone = torch.autograd.grad(pixels, made, retain_graph=True)[0]
    both = weighed(pixels, passing_loss(judge, made, true, half), made, half, share)
    on_hair = (both - alone)[..., :32].norm() / alone[..., :32].norm()
    assert on_hair == pytest.approx(share, rel=1e-3)
    assert torch.equal(both[..., 48:], alone[..., 48:])  # beyond what a patch sees, nobody is asked
