"""The supervisors' room: who restarts whom, and in which order; it decides nothing about loans."""
