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
  ({ bytes, count, name, end }) => `
  -- Devices that were let in at the broker, by their names there. \`revoked_seq\`: the chain's end at which it was seen to be revoked.
  -- \`cursor_seq\`: what it has of its person's mailbox. \`missed\`: the mailbox was full when something came.
  CREATE TABLE devices (
    uid ${name} NOT NULL, dev ${name} NOT NULL, chain ${name} NOT NULL, device ${name} NOT NULL, cursor_seq ${count} NOT NULL,
    verified_at ${count} NOT NULL, revoked_seq ${count}, missed ${count} NOT NULL, PRIMARY KEY (uid, dev)
  )${end};

  -- What was used stays as its name alone until it would have expired: it must not be put here again.
  CREATE TABLE key_packages (
    ref ${name} PRIMARY KEY, uid ${name} NOT NULL, dev ${name} NOT NULL, bytes ${bytes}, is_last_resort ${count} NOT NULL, expires_at ${count} NOT NULL
  )${end};
  CREATE INDEX key_packages_of_device ON key_packages (uid, dev, expires_at);
  CREATE INDEX key_packages_by_end ON key_packages (expires_at);
  CREATE TABLE key_package_takes (requester ${name} NOT NULL, target ${name} NOT NULL, taken_at ${count} NOT NULL)${end};
  CREATE INDEX takes_of_target ON key_package_takes (target, taken_at);
  CREATE INDEX takes_by_time ON key_package_takes (taken_at);

  -- Follows from the commits in the broker's streams.
  CREATE TABLE conversations (conversation ${name} PRIMARY KEY, newest_commit ${count} NOT NULL)${end};
  CREATE TABLE members (
    conversation ${name} NOT NULL, chain ${name} NOT NULL, uid ${name} NOT NULL, PRIMARY KEY (conversation, uid)
  )${end};
  -- What devices have sent, by the hash of its name: where it was put.
  CREATE TABLE sent (name ${name} PRIMARY KEY, place ${count} NOT NULL, sent_at ${count} NOT NULL)${end};
  CREATE INDEX sent_by_time ON sent (sent_at);
  CREATE TABLE commits (conversation ${name} NOT NULL, id ${name} NOT NULL, place ${count} NOT NULL, PRIMARY KEY (conversation, id))${end};
  `,
  ({ name, end }) => `
  -- Who ever sent something into a conversation: what comes for the others of it is from strangers, as far as is known here.
  CREATE TABLE writers (conversation ${name} NOT NULL, uid ${name} NOT NULL, PRIMARY KEY (conversation, uid))${end};
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
