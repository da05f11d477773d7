"""Jobs: asking for one, queueing it, working on it, pausing it, finding it again when its worker died.

The job's row in the database is the truth; the queue carries nothing but its id.

| module | what it does |
|---|---|
| requests | writes a job down and has it queued |
| queue | RQ: puts work into it, now or later, and counts what is on its way |
| runner | the queue's entry point: one worker's turn at a job |
| step_loop | step after step, until there is a reason to leave |
| lifecycle | how a worker begins with a job and leaves it, and how a job ends |
| lease | the sign of life of a worker |
| recovery | finds what died and what the queue forgot |
| control | pause, resume, cancel, reset |
| schedules, cron | jobs that are started by the clock |
"""
