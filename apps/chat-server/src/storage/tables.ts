/** The tables, step by step: each is made once, in order, and never changed afterwards. */

import type { SchemaForm } from "@kez/server/postgres-schema"
import type { FileForm } from "@kez/server/sqlite-file"

interface Types {
  readonly bytes: string
  readonly count: string
  readonly name: string
  /** Behind each table. */
  readonly end: string
}

const steps: ReadonlyArray<(types: Types) => string> = [
  ({ bytes, count, name, end }) => `
  -- The log. No row is ever changed or deleted. Everything in \`handles\` follows from it.
  CREATE TABLE leaves (
    place ${count} PRIMARY KEY, digest ${name} NOT NULL UNIQUE, statement TEXT NOT NULL, handle ${name} NOT NULL
  )${end};
  CREATE INDEX leaves_of_handle ON leaves (handle, place);

  -- Hashes of complete subtrees; those at the right edge are put together when they are asked for.
  CREATE TABLE hashes (
    level ${count} NOT NULL, place ${count} NOT NULL, hash ${bytes} NOT NULL, PRIMARY KEY (level, place)
  )${end};

  -- One row for each handle that was ever given out. None is deleted, so that none is given to somebody else.
  CREATE TABLE handles (
    handle ${name} PRIMARY KEY, skeleton ${name} NOT NULL UNIQUE, state ${name} NOT NULL, chain ${name} NOT NULL,
    place ${count} NOT NULL, signer ${name} NOT NULL, nostr ${name}, chain_url TEXT, moved_to ${name}, registered_at ${count} NOT NULL
  )${end};
  CREATE UNIQUE INDEX one_handle_a_chain ON handles (chain) WHERE state = 'registered';

  -- Every key that is or was a primary of a registered chain, as far as this server has seen.
  CREATE TABLE chain_keys (key ${name} NOT NULL, chain ${name} NOT NULL, PRIMARY KEY (key, chain))${end};

  -- Codes are not stored, only their hashes.
  CREATE TABLE invitations (
    hash ${bytes} PRIMARY KEY, uses_left ${count} NOT NULL, expires_at ${count} NOT NULL, made_at ${count} NOT NULL, made_by ${name} NOT NULL
  )${end};

  CREATE TABLE marks (name ${name} PRIMARY KEY, value TEXT NOT NULL)${end};
  `,
]

const sqliteTypes: Types = { bytes: "BLOB", count: "INTEGER", name: "TEXT", end: " STRICT" }
const postgresTypes: Types = { bytes: "bytea", count: "bigint", name: 'text COLLATE "C"', end: "" }

export const sqliteForm: FileForm = {
  program: "kez-chat-server",
  // "kezc"
  applicationId: 0x6b657a63,
  migrations: steps.map((step) => ({ sql: step(sqliteTypes), isAdditive: true })),
}

export const postgresForm: SchemaForm = {
  program: "kez-chat-server",
  schema: "kez_chat",
  lock: 6_969_001,
  steps: steps.map((step) => `SET LOCAL search_path TO kez_chat; ${step(postgresTypes)}`),
}
