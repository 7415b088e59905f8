/** The tables of the local store, as a list of migrations: each is run once, in order, and never changed afterwards. */

/** What a database of version n - 1 runs to become version n. The first entry makes version 1. */
export const migrations: readonly string[] = [
  `
  -- Every known event of every chain, losing branches included. The envelope is the data; the other columns find it.
  CREATE TABLE events (
    digest TEXT PRIMARY KEY, chain TEXT NOT NULL, seq INTEGER NOT NULL, envelope TEXT NOT NULL, stored_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX events_by_chain ON events (chain, seq);

  -- By which keys a chain is found: every primary and device that any of its events names.
  CREATE TABLE chain_keys (
    key TEXT NOT NULL, chain TEXT NOT NULL, role TEXT NOT NULL, PRIMARY KEY (key, chain, role)
  ) STRICT;

  -- Signed heads that may still count.
  CREATE TABLE heads (
    chain TEXT NOT NULL, signer TEXT NOT NULL, seq INTEGER NOT NULL, digest TEXT NOT NULL,
    expires_at INTEGER NOT NULL, envelope TEXT NOT NULL, PRIMARY KEY (chain, signer, seq, digest)
  ) STRICT;

  -- Places that served a chain before: their silence matters from then on. SPEC VER-6
  CREATE TABLE sources (
    chain TEXT NOT NULL, url TEXT NOT NULL, kind TEXT NOT NULL, served_at INTEGER NOT NULL, PRIMARY KEY (chain, url)
  ) STRICT;

  -- High-water marks. SPEC VER-10
  CREATE TABLE marks (chain TEXT PRIMARY KEY, seq INTEGER NOT NULL, digest TEXT NOT NULL) STRICT;
  CREATE TABLE mark_primaries (
    chain TEXT NOT NULL, place INTEGER NOT NULL, key TEXT NOT NULL, PRIMARY KEY (chain, place)
  ) STRICT;
  CREATE INDEX mark_primaries_by_key ON mark_primaries (key);

  -- Claims made on this computer.
  CREATE TABLE claims (
    digest TEXT PRIMARY KEY, subject TEXT NOT NULL, key TEXT NOT NULL, created_at INTEGER NOT NULL,
    expires_at INTEGER, envelope TEXT NOT NULL
  ) STRICT;
  CREATE INDEX claims_by_subject ON claims (subject, key, created_at);

  -- When an account was last seen proven, and by whom.
  CREATE TABLE proven (
    subject TEXT PRIMARY KEY, key TEXT NOT NULL, chain TEXT, account_id TEXT, proven_at INTEGER NOT NULL
  ) STRICT;
  `,
  `
  -- Whether an event was signed on this computer: in a fork its owner wants to know.
  ALTER TABLE events ADD COLUMN own INTEGER NOT NULL DEFAULT 0;
  `,
]
