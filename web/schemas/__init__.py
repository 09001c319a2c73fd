"""The shapes of requests and responses, and how a view fills them. One file a subject."""
