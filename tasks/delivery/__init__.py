"""Step 6: approved pictures leave in every size a directory takes, marked as AI-made."""
