"""Where pictures, takes and songs are kept: every key in layout.py, and one module per adapter of ports.Storage.

Which adapter a setting's name means is in providers.py; what is deleted when, in jobs/maintenance.py.
"""
