-- The journal: one row an event, never changed, never taken away.
CREATE TABLE entries (
    seq     INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,           -- UTC nanoseconds
    because INTEGER REFERENCES entries (seq),
    body    TEXT NOT NULL               -- the event as JSON, see journal/codec.py
) STRICT;

CREATE TRIGGER entries_are_never_changed BEFORE UPDATE ON entries
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

CREATE TRIGGER entries_are_never_removed BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
