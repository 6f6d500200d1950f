"""What a browser sends: let in by name and size, unpacked, sealed as it arrives, checked in the background."""
