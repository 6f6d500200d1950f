"""What differs between base models: prompts, latents, noise, targets and samplers. The loops that use them are one."""
