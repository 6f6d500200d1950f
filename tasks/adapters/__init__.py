"""Step 3: one LoRA per person, many people per training step."""
