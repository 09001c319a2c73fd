"""Supervision: who restarts whom, when, and in which order."""
