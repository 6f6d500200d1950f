"""The review report, and what it shares with the desk: readiness, decisions, roles, words."""
