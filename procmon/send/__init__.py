"""Pages become mails, and mails reach a server or the outbox: what to send, how, and what the server said."""
