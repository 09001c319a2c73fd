"""The singletons and reporters of one worker."""
