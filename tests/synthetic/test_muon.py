"""Our optimiser is torch's own where torch has one: for matrices. Convolutions and processes are what it adds."""

import torch

from synthetic.training.muon import Muon

RATE, DECAY, MOMENTUM = 0.02, 0.01, 0.9


def test_a_matrix_steps_as_with_torch_own_muon() -> None:
    torch.manual_seed(0)
    start, gradients = torch.randn(24, 16), torch.randn(5, 24, 16)
    ours, theirs = torch.nn.Parameter(start.clone()), torch.nn.Parameter(start.clone())
    mine = Muon([ours], RATE, momentum=MOMENTUM, weight_decay=DECAY)
    torchs = torch.optim.Muon(
        [theirs], lr=RATE, momentum=MOMENTUM, weight_decay=DECAY, ns_steps=4, adjust_lr_fn="match_rms_adamw"
    )
    for gradient in gradients:
        ours.grad, theirs.grad = gradient.clone(), gradient.clone()
        mine.step()
        torchs.step()
    moved = (theirs - start).norm()
    assert (ours - theirs).norm() < 0.02 * moved  # both iterate in 16 bits


def test_a_convolution_steps_as_the_matrix_that_it_is() -> None:
    torch.manual_seed(0)
    kernel = torch.nn.Parameter(torch.randn(12, 6, 3, 3))
    flat = torch.nn.Parameter(kernel.detach().flatten(1).clone())
    gradient = torch.randn(12, 6, 3, 3)
    kernel.grad, flat.grad = gradient, gradient.flatten(1)
    for one in (kernel, flat):
        Muon([one], RATE).step()
    assert torch.allclose(kernel.flatten(1), flat, atol=1e-5)
