"""What a job does with Marketo, by feature. Knows neither SOAP nor REST, nor the queue.

====================  ==========================================================================================
send                  which records go out, claimed into batches, and what became of them
pull, compare         reading from Marketo: into the local copies, or only to see what differs
delete, metadata      deleting in Marketo; reading its fields, tags and channels
conflicts             what a person has to decide: changed on both sides, or sent without an answer
content               a record as names and texts: what is sent, what was found, what is written here
rate_limits           Marketo's limits, shared by all workers
paging, job_results   reading page by page; the results of a job and their counts
task, task_registry   what every kind of job has in common; which task a job's action is
transport_factory     from settings to a transport
retry_policy          what is done when a call fails: one table
marketo_settings      our settings, read
====================  ==========================================================================================
"""
