"""Jobs: asking for one, queueing it, working on it, pausing it, finding it again when its worker died.

The job's row in the database is the truth; the queue carries nothing but its id.

| module | what it does |
|---|---|
| requests | writes a job down and has it queued |
| queue | RQ: puts work into it, now or later, and counts what is on its way |
| runner | the queue's entry point: one worker's turn at a job |
| step_loop | step after step, until there is a reason to leave |
| job_lease | how a worker begins with a job, leaves it, and is given up for dead |
| lease | the right of a process to work on a job or an import, and its signs of life |
| lifecycle | the states of a job, which may follow which, and how it ends |
| state_machine | the one writer of a state, of jobs and of imports |
| recovery | finds what died and what the queue forgot |
| control | pause, resume, cancel, reset |
| schedules, cron | jobs that are started by the clock |
"""
