"""The one door between Trio and asyncio."""
