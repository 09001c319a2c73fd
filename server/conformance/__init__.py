"""Published cases, run through the engine: `lendwire conform`. It knows the format, no case."""
