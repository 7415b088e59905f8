/** Statements about a handle: signed, noted here, and sent to the chat server. SPEC §7.8 */
import {
  type Envelope,
  encodeChain,
  formatEnvelope,
  formatTime,
  KezError,
  parseJson,
  type Signer,
  signEnvelope,
} from "@kez/core"
import type { Context } from "../context.ts"
import { hasCode } from "../fault.ts"
import type { Published, Reach } from "./account-chain.ts"
import { askHandle, askHost, refusalOf } from "./chat-host.ts"
import { askInvitation } from "./invitation.ts"
import { type AccountRecord, writeAccount } from "./records.ts"

const maxAnswerBytes = 65_536
const codeTries = 3

export interface HandleName {
  readonly handle: string
  readonly host: string
}

export interface Registering {
  readonly published: Published
  /** Of a current key: the device's, or the primary's. */
  readonly signer: Signer
  readonly reach: Reach
  readonly invitation: string | undefined
}

/** Registers a handle for the chain, unless it is so already. The record afterwards. */
export async function registerHandle(
  context: Context,
  record: AccountRecord,
  name: HandleName,
  registering: Registering,
): Promise<AccountRecord> {
  const { published, reach } = registering
  const known = await askHandle(reach.net, name, reach.timeoutMs)
  if (known.state === "taken" && known.chain === published.replay.chain) return record
  let code = registering.invitation
  let current = record
  for (let attempt = 1; ; attempt++) {
    const statement = await signRegistration(context, name, registering)
    current = noteStatement(context, current, statement)
    try {
      await post(reach, name.host, "/v1/register", {
        registration: parseJson(formatEnvelope(statement)),
        chain: encodeChain(published.path),
        ...(code === undefined ? {} : { invitation: code }),
      })
      return current
    } catch (error) {
      const canAsk = context.terminal.interactive ? attempt <= codeTries : code === undefined
      if (!hasCode(error, "handle.invitation") || !canAsk) throw error
      if (code !== undefined) context.terminal.say("That code does not count, or was used up.")
      code = await askInvitation(context, name.host)
    }
  }
}

function signRegistration(
  context: Context,
  { handle, host }: HandleName,
  { published, signer }: Pick<Registering, "published" | "signer">,
): Promise<Envelope<"handle_registration">> {
  const { chain, state } = published.replay
  const created_at = formatTime(context.now())
  const payload = {
    type: "kez.chat.handle_registration",
    version: 1,
    handle,
    host,
    primary: state.primary,
    chain,
    created_at,
  } as const
  return signEnvelope("handle_registration", payload, signer)
}

export interface Moving extends Registering {
  /** Of the primary in force. */
  readonly primary: Signer
  readonly to: HandleName
}

/** Says at the old host that the handle is now another one; on the same host the new one is registered in the same step. */
export async function moveHandle(context: Context, record: AccountRecord, moving: Moving): Promise<AccountRecord> {
  const { to, primary, published, reach } = moving
  const { handle, host } = record
  const old = await askHandle(reach.net, record, reach.timeoutMs)
  // Moved before, by this command, which was interrupted then.
  if (old.state === "given_up" && old.chain === published.replay.chain) return record
  const { chain } = published.replay
  const names = { handle, host, new_handle: to.handle, new_host: to.host }
  const payload = {
    type: "kez.chat.handle_move",
    version: 1,
    ...names,
    chain,
    created_at: formatTime(context.now()),
  } as const
  const move = await signEnvelope("handle_move", payload, primary)
  const registration = to.host === host ? await signRegistration(context, to, moving) : undefined
  let current = noteStatement(context, record, move)
  if (registration !== undefined) current = noteStatement(context, current, registration)
  await post(reach, host, "/v1/move", {
    move: parseJson(formatEnvelope(move)),
    ...(registration === undefined ? {} : { registration: parseJson(formatEnvelope(registration)) }),
    chain: encodeChain(published.path),
  })
  return current
}

/** Before it is sent: whatever happens then, the owner's own look at the log knows it. */
function noteStatement(
  context: Context,
  record: AccountRecord,
  statement: Envelope<"handle_registration"> | Envelope<"handle_move">,
): AccountRecord {
  return writeAccount(context.paths, { ...record, statements: [...record.statements, formatEnvelope(statement)] })
}

async function post({ net, timeoutMs }: Reach, host: string, path: string, body: object): Promise<void> {
  const bytes = Buffer.from(JSON.stringify(body))
  const answer = await askHost(net, { host, method: "POST", path, body: bytes, maxBytes: maxAnswerBytes, timeoutMs })
  if (answer.status === 200 || answer.status === 201) return
  const what = path === "/v1/register" ? "register the handle" : "move the handle"
  const refusal = refusalOf(answer, host, what)
  // A code that is wrong is told apart from a store or clock that is: only another code helps there.
  throw answer.status === 403 && refusal.code === "net.status"
    ? new KezError("handle.closed", refusal.message, { cause: refusal })
    : refusal
}
