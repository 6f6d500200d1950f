"""The review report and the review desk."""
