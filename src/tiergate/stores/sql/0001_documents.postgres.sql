-- Small documents that all workers and replicas share. What they mean is decided by the program.
CREATE TABLE tiergate_documents (
    key  BYTEA NOT NULL PRIMARY KEY,  -- UTF-8
    body BYTEA NOT NULL
);
