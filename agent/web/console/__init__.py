"""The technicians' console: pages made here, filled by the same functions as the API, and kept live.

One file per page. What a page shows comes from the station; what it changes goes through the API.
"""
