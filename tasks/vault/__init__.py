"""What is kept, where, and by whose leave: settings, records, blobs, keys, consent and the audit log."""
