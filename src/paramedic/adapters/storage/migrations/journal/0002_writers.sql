-- Which versions of Paramedic have written here: one that is too old for this file can say which to start instead.
CREATE TABLE writers (
    version TEXT PRIMARY KEY,
    format  INTEGER NOT NULL            -- the newest that this version knew
) STRICT;
