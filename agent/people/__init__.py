"""Who people are: accounts with roles, passwords, sessions, and the tokens of their programs.

Nothing here knows of the web: it is asked with names, secrets and addresses, and answers with an
`Account` or raises. All that changes is on disk with an entry of the ledger before it counts.
"""
