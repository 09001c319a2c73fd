"""The composition root: settings, command line, wiring, embedded services. No rules live here."""
