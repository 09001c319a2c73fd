"""The guarded HTTP server on hypercorn's classes; it knows no route, no user and no actor."""
