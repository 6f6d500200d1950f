"""What a picture that leaves says about itself: source type, signed credentials, an imperceptible mark, a label."""
