-- One row per call, and one per paid attempt that did not serve. Rows are never changed.
-- Money is in nano-USD (1e-9 US dollars), times are Unix seconds, an empty text says "none".
CREATE TABLE tiergate_ledger (
    number         BIGINT  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,  -- in the order of appending
    call_id        TEXT    NOT NULL,
    part           BIGINT  NOT NULL,     -- 0: the call itself
    wall           DOUBLE PRECISION NOT NULL,     -- arrival of the request
    booked         DOUBLE PRECISION NOT NULL,     -- decides in which budget windows the cost counts
    operation      TEXT    NOT NULL,
    dialect        TEXT    NOT NULL,
    status         TEXT    NOT NULL,
    http_status    BIGINT  NOT NULL,
    asked          TEXT    NOT NULL,     -- the alias asked
    served         TEXT    NOT NULL,     -- the alias that served
    deployment     TEXT    NOT NULL,
    provider       TEXT    NOT NULL,
    model          TEXT    NOT NULL,
    key            TEXT    NOT NULL,     -- SHA-256 of the virtual key
    key_name       TEXT    NOT NULL,
    "user"         TEXT    NOT NULL,
    team           TEXT    NOT NULL,
    end_user       TEXT    NOT NULL,
    ticket         TEXT    NOT NULL,
    session        TEXT    NOT NULL,
    phase          TEXT    NOT NULL,
    workflow       TEXT    NOT NULL,
    reason         TEXT    NOT NULL,
    input          BIGINT  NOT NULL,     -- tokens, without cached ones
    output         BIGINT  NOT NULL,
    cache_read     BIGINT  NOT NULL,
    cache_write_5m BIGINT  NOT NULL,
    cache_write_1h BIGINT  NOT NULL,
    reasoning      BIGINT  NOT NULL,     -- a part of output
    audio_input    BIGINT  NOT NULL,     -- a part of input
    audio_output   BIGINT  NOT NULL,     -- a part of output
    estimated      BOOLEAN NOT NULL,     -- tokens or cost are our own estimate
    cost           BIGINT  NOT NULL,
    unpriced       BOOLEAN NOT NULL,     -- the model has no price, so cost is 0
    saving         BIGINT  NOT NULL,
    cache          TEXT    NOT NULL,
    retries        BIGINT  NOT NULL,
    fallbacks      BIGINT  NOT NULL,
    escalated      BOOLEAN NOT NULL,
    batch          TEXT    NOT NULL,
    seconds        DOUBLE PRECISION NOT NULL
);

-- Names a row: appending it again changes nothing.
CREATE UNIQUE INDEX tiergate_ledger_call ON tiergate_ledger (call_id, part, wall);
CREATE INDEX tiergate_ledger_booked ON tiergate_ledger (booked);

-- Names of which there are many. Aliases, providers and deployments are few: for these the index
-- on `booked` does. Rows without such a name are not in its index and cost nothing.
CREATE INDEX tiergate_ledger_key ON tiergate_ledger (key, booked) WHERE key <> '';
CREATE INDEX tiergate_ledger_user ON tiergate_ledger ("user", booked) WHERE "user" <> '';
CREATE INDEX tiergate_ledger_team ON tiergate_ledger (team, booked) WHERE team <> '';
CREATE INDEX tiergate_ledger_end_user ON tiergate_ledger (end_user, booked) WHERE end_user <> '';
CREATE INDEX tiergate_ledger_ticket ON tiergate_ledger (ticket, booked) WHERE ticket <> '';

CREATE TABLE tiergate_ledger_tags (
    number   BIGINT  NOT NULL,  -- of the row in tiergate_ledger
    position BIGINT  NOT NULL,  -- in the order of the request
    tag      TEXT    NOT NULL,
    PRIMARY KEY (number, position)
);
CREATE INDEX tiergate_ledger_tags_tag ON tiergate_ledger_tags (tag, number);

-- `source`: a random name that tells this ledger from every other one.
CREATE TABLE tiergate_meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
