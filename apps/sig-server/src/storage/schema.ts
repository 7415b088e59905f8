/** The tables of the SQLite storage, as a list of migrations: each is run once, in order, and never changed afterwards. */
import type { Migration } from "@kez/server/sqlite-file"

export type { Migration }

/** What a database of version n - 1 runs to become version n. The first entry makes version 1. */
export const migrations: readonly Migration[] = [
  {
    isAdditive: true,
    sql: `
  CREATE TABLE chains (
    chain TEXT PRIMARY KEY, size INTEGER NOT NULL, bytes INTEGER NOT NULL
  ) STRICT;

  -- Every valid event of every chain, losing branches included. No row is ever changed or deleted.
  CREATE TABLE events (
    cursor INTEGER PRIMARY KEY AUTOINCREMENT, digest TEXT NOT NULL UNIQUE, chain TEXT NOT NULL REFERENCES chains (chain),
    seq INTEGER NOT NULL, text TEXT NOT NULL, stored_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX events_by_chain ON events (chain, seq);

  -- Every key that is or was a primary of a chain, on any branch.
  CREATE TABLE chain_primaries (
    key TEXT NOT NULL, chain TEXT NOT NULL REFERENCES chains (chain), PRIMARY KEY (key, chain)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE heads (
    chain TEXT NOT NULL, signer TEXT NOT NULL, seq INTEGER NOT NULL, digest TEXT NOT NULL,
    expires_at INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (chain, signer, seq, digest)
  ) STRICT;

  CREATE TABLE marks (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

  -- One row: counting millions of events for each look at the figures would take seconds.
  CREATE TABLE totals (events INTEGER NOT NULL, chains INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
  INSERT INTO totals VALUES (0, 0, 0);
  `,
  },
  {
    isAdditive: true,
    sql: `
  -- The order in which heads were kept, for those who follow the store.
  ALTER TABLE heads ADD COLUMN cursor INTEGER NOT NULL DEFAULT 0;
  UPDATE heads SET cursor = rowid;
  CREATE INDEX heads_by_cursor ON heads (cursor);
  ALTER TABLE totals ADD COLUMN last_head INTEGER NOT NULL DEFAULT 0;
  UPDATE totals SET last_head = (SELECT coalesce(max(cursor), 0) FROM heads);
  `,
  },
]

/** Marks a file as one of this program ("kezs"), so that no other SQLite file is taken for it and changed. */
export const applicationId = 0x6b657a73
