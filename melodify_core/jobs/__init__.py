"""A job's life: the workflow, its end as a song or an apology, the engine (DBOS), the workers, the maintenance.

The work of a single step is elsewhere: providers in captioners, composers and storage, limits in usage, files in media.
"""
