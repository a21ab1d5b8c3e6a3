"""What is done besides making songs.

`admission` decides which orders are within the limits, `songs` serves finished songs, `members` what members ask for
themselves, `moderation` what a server's moderators do, `job_admin` and `backups` what the host does, and
`request_journal` records requests until they are orders. Orders are accepted in studio.py; songs are made in jobs.
"""
