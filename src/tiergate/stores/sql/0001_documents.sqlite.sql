-- Small documents that all workers of this machine share. What they mean is decided by the program.
CREATE TABLE tiergate_documents (
    key  BLOB NOT NULL PRIMARY KEY,  -- UTF-8
    body BLOB NOT NULL
);
