"""When schedules run: cron expressions in a zone, the plain choices that stand for them, and their words."""
