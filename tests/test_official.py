"""The official script beside the engine: any script is run with the words that it knows, and a missing one is said."""

from pathlib import Path

import pytest

from benchmarks import official
from benchmarks.random_bases import write_random_base

SCRIPT = """
import argparse, json, pathlib, sys
words = argparse.ArgumentParser()
for name in ("pretrained_model_name_or_path", "instance_data_dir", "instance_prompt", "resolution", "train_batch_size",
             "max_train_steps", "rank", "learning_rate", "lr_scheduler", "lr_warmup_steps", "seed", "output_dir"):
    words.add_argument(f"--{name}", required=True)
words.add_argument("--report_to")
told = words.parse_args()
pathlib.Path(told.output_dir).mkdir(exist_ok=True)
assert len([path.read_bytes() for path in pathlib.Path(told.instance_data_dir).iterdir()]) == 8, "photos, and no more"
assert told.report_to == "none", told.report_to
sum(range(10**7))
"""


@pytest.mark.slow
def test_both_are_run_and_the_ratio_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_random_base(tmp_path / "bases", "tiny", "sd")
    script = tmp_path / "train_dreambooth_lora.py"
    script.write_text(SCRIPT)
    words = ["--base", "tiny", "--bases", str(tmp_path / "bases"), "--batch", "1", "--updates", "1", "--rounds", "1"]
    official.main([str(script), *words, "--people", "2", "--", "--report_to", "none"])
    printed = capsys.readouterr().out
    assert "batch 1: script " in printed
    assert "2 at once" in printed
    with pytest.raises(SystemExit, match=r"train_dreambooth_lora.py ended with 1"):
        official.main([str(script), *words])


def test_a_missing_script_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        official.main([str(tmp_path / "nowhere.py")])
    assert "the script comes with diffusers' sources" in capsys.readouterr().err
