/** Payloads of chat and files. Their contexts are fixed, their members are provisional. SPEC §2.3. */
import { maxCredentialLifetimeSeconds, maxListEntries, maxPresenceLifetimeSeconds } from "../limits.ts"
import { assertLifetime } from "./lifetime.ts"
import {
  count,
  digest,
  fault,
  handle,
  hex32,
  host,
  keyIdentity,
  list,
  literal,
  optional,
  record,
  required,
  shortText,
  time,
} from "./schema.ts"

interface Statement<T extends string> {
  readonly type: T
  readonly version: 1
  readonly created_at: string
}

export interface ProvisionalPayloads {
  device_credential: Statement<"kez.chat.device_credential"> & {
    readonly chain: string
    readonly nats: string
    readonly mls: string
    readonly hpke: string
    readonly expires_at: string
  }
  archive_key: Statement<"kez.chat.archive_key"> & {
    readonly chain: string
    readonly epoch: number
    readonly public_key: string
  }
  archive_epoch: Statement<"kez.chat.archive_epoch"> & {
    readonly chain: string
    readonly epoch: number
    readonly head: string
    readonly keys: string
  }
  handle_registration: Statement<"kez.chat.handle_registration"> & {
    readonly handle: string
    readonly host: string
    readonly primary: string
    readonly chain: string
  }
  handle_move: Statement<"kez.chat.handle_move"> & {
    readonly handle: string
    readonly host: string
    readonly new_handle: string
    readonly new_host: string
    readonly chain: string
  }
  handle_release: Statement<"kez.chat.handle_release"> & {
    readonly handle: string
    readonly host: string
    readonly chain: string
  }
  conversation_state: Statement<"kez.chat.conversation_state"> & {
    readonly chain: string
    readonly group?: string
    readonly number: number
    readonly prev?: string
    readonly state: string
  }
  presence: Statement<"kez.chat.presence"> & {
    readonly chain: string
    readonly endpoint: string
    readonly counter: number
    readonly addresses: readonly string[]
    readonly relay?: string
    readonly expires_at: string
  }
  nats_connect: Statement<"kez.chat.nats_connect"> & {
    readonly audience: string
    readonly nonce: string
    readonly session: string
  }
  nats_session: Statement<"kez.chat.nats_session"> & {
    readonly audience: string
    readonly chain: string
    readonly session: string
    readonly expires_at: string
  }
  server_answer: Statement<"kez.chat.server_answer"> & {
    readonly audience: string
    readonly request: string
    readonly code: string
  }
  file_manifest: Statement<"kez.files.manifest"> & {
    readonly chain: string
    readonly seq: number
    readonly prev?: string
    readonly root: string
    readonly size: number
  }
}

function statement<T extends string>(type: T) {
  return { type: required(literal(type)), version: required(literal(1)) } as const
}

const createdAt = { created_at: required(time) } as const
const expiresAt = { ...createdAt, expires_at: required(time) } as const

export const provisionalPayloads = {
  device_credential: record<ProvisionalPayloads["device_credential"]>(
    {
      ...statement("kez.chat.device_credential"),
      chain: required(digest),
      nats: required(keyIdentity),
      mls: required(keyIdentity),
      hpke: required(hex32),
      ...expiresAt,
    },
    (value) => assertLifetime(value.created_at, value.expires_at, maxCredentialLifetimeSeconds),
  ),
  archive_key: record<ProvisionalPayloads["archive_key"]>({
    ...statement("kez.chat.archive_key"),
    chain: required(digest),
    epoch: required(count),
    public_key: required(hex32),
    ...createdAt,
  }),
  archive_epoch: record<ProvisionalPayloads["archive_epoch"]>({
    ...statement("kez.chat.archive_epoch"),
    chain: required(digest),
    epoch: required(count),
    head: required(digest),
    keys: required(digest),
    ...createdAt,
  }),
  handle_registration: record<ProvisionalPayloads["handle_registration"]>({
    ...statement("kez.chat.handle_registration"),
    handle: required(handle),
    host: required(host),
    primary: required(keyIdentity),
    chain: required(digest),
    ...createdAt,
  }),
  handle_move: record<ProvisionalPayloads["handle_move"]>({
    ...statement("kez.chat.handle_move"),
    handle: required(handle),
    host: required(host),
    new_handle: required(handle),
    new_host: required(host),
    chain: required(digest),
    ...createdAt,
  }),
  handle_release: record<ProvisionalPayloads["handle_release"]>({
    ...statement("kez.chat.handle_release"),
    handle: required(handle),
    host: required(host),
    chain: required(digest),
    ...createdAt,
  }),
  conversation_state: record<ProvisionalPayloads["conversation_state"]>(
    {
      ...statement("kez.chat.conversation_state"),
      chain: required(digest),
      group: optional(digest),
      number: required(count),
      prev: optional(digest),
      state: required(digest),
      ...createdAt,
    },
    ({ number, group, prev }) => assertFirst(number, [group, prev]),
  ),
  presence: record<ProvisionalPayloads["presence"]>(
    {
      ...statement("kez.chat.presence"),
      chain: required(digest),
      endpoint: required(hex32),
      counter: required(count),
      addresses: required(list(shortText, 0, maxListEntries)),
      relay: optional(shortText),
      ...expiresAt,
    },
    (value) => assertLifetime(value.created_at, value.expires_at, maxPresenceLifetimeSeconds),
  ),
  nats_connect: record<ProvisionalPayloads["nats_connect"]>({
    ...statement("kez.chat.nats_connect"),
    audience: required(host),
    nonce: required(shortText),
    session: required(keyIdentity),
    ...createdAt,
  }),
  nats_session: record<ProvisionalPayloads["nats_session"]>(
    {
      ...statement("kez.chat.nats_session"),
      audience: required(host),
      chain: required(digest),
      session: required(keyIdentity),
      ...expiresAt,
    },
    (value) => assertLifetime(value.created_at, value.expires_at, maxCredentialLifetimeSeconds),
  ),
  server_answer: record<ProvisionalPayloads["server_answer"]>({
    ...statement("kez.chat.server_answer"),
    audience: required(keyIdentity),
    request: required(digest),
    code: required(shortText),
    ...createdAt,
  }),
  file_manifest: record<ProvisionalPayloads["file_manifest"]>(
    {
      ...statement("kez.files.manifest"),
      chain: required(digest),
      seq: required(count),
      prev: optional(digest),
      root: required(digest),
      size: required(count),
      ...createdAt,
    },
    ({ seq, prev }) => assertFirst(seq, [prev]),
  ),
} as const

/** Links to what came before are absent exactly in the first of a series. */
function assertFirst(number: number, links: readonly (string | undefined)[]): void {
  if (links.some((link) => (link === undefined) !== (number === 0))) {
    throw fault("schema.value", "payload", "links to the previous one everywhere but in the first")
  }
}
