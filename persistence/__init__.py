"""The only room with SQL: PostgreSQL (truth) and Redis (speed), behind one door to asyncio."""
