"""Who may do what: roles, accounts, sign-ins, and the rules of users."""
