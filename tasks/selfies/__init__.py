"""Step 2: photos become findings, and the answer to who is ready."""
