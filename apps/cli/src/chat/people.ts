/** The people of an account by what somebody types: a handle, an account that they proved, a key, a chain. SPEC §7.8 */
import type { Contact } from "@kez/chat"
import { type ChainReplay, formatIdentity, KezError, parseIdentity } from "@kez/core"
import { handlesIn } from "../account/account-chain.ts"
import { askByPrimary } from "../account/chat-host.ts"
import type { Answer } from "../consult.ts"
import type { Context } from "../context.ts"
import { reasonText } from "../reason-text.ts"
import { shortDigest, shortKey } from "../short-text.ts"
import { readStore } from "../store/access.ts"
import { badgeOf } from "../verdict-text.ts"
import { isSomebodyElses } from "./names.ts"
import type { OpenChat } from "./open-chat.ts"

/**
 * How a contact is called. `?`: his chain says so, and nobody has looked it up at that server yet. A chain that claims the handle of somebody
 * who is pinned is called by its digest.
 */
export function nameOfContact(
  chat: Pick<OpenChat, "chains" | "account">,
  { chain, handle }: Pick<Contact, "chain" | "handle">,
): string {
  if (handle !== undefined) return handle
  const replay = chat.chains.known(chain)
  const claimed = replay === undefined ? undefined : claimedHandle(replay, chat.account.host)
  return claimed === undefined || isSomebodyElses(chat.account, claimed, chain) ? shortDigest(chain) : `${claimed}?`
}

/** The handle that a chain lists, of this host where it has one there. */
export function claimedHandle(replay: ChainReplay, host: string): string | undefined {
  const listed = handlesIn(replay)
  return listed.find((handle) => handle.endsWith(`@${host}`)) ?? listed[0]
}

/** A contact that is known, else somebody who is looked up and pinned. Throws with what to do where there is nobody. */
export async function findPerson(context: Context, chat: OpenChat, typed: string): Promise<Contact> {
  const who = typed.trim().replace(/…$/, "")
  const known = await findKnown(chat, who)
  // What only a chain says of itself is looked up before anything is written to that name: it may be somebody else.
  if (known !== undefined && (known.handle !== undefined || who.startsWith("sha256:"))) return known
  if (who.startsWith("sha256:"))
    throw unknownPerson(who, "expected one of your contacts, or a handle: kez contacts list")
  if (!who.includes(":")) return addHandle(chat, who)
  const { system, value } = parseIdentity(who)
  if (system === "kez") return addHandle(chat, value)
  const identity = formatIdentity({ system, value })
  return system === "ed25519" ? addByKey(context, chat, identity) : addByAccount(context, chat, identity)
}

/** Asks nobody. */
export async function findKnown(chat: OpenChat, who: string): Promise<Contact | undefined> {
  const contacts = await chat.engine.contacts.list()
  const bare = who.replace(/^@/, "").toLowerCase()
  if (who.startsWith("sha256:")) {
    const found = who.length < 15 ? [] : contacts.filter(({ chain }) => chain.startsWith(who))
    return found.length === 1 ? found[0] : undefined
  }
  if (who.includes(":") && !who.startsWith("kez:")) return undefined
  const handle = bare.replace(/^kez:/, "")
  const full = handle.includes("@") ? handle : `${handle}@${chat.account.host}`
  const named = contacts.find((contact) => contact.handle === full)
  if (named !== undefined) return named
  // Somebody who wrote first, by what his chain says; only where nobody is pinned by that name.
  return contacts.find((contact) => contact.handle === undefined && nameOfContact(chat, contact) === `${full}?`)
}

async function addHandle({ engine, account }: OpenChat, handle: string): Promise<Contact> {
  try {
    return await engine.contacts.add(handle)
  } catch (error) {
    if (!(error instanceof KezError) || error.hint !== undefined) throw error
    const hint =
      error.code === "store.unknown"
        ? `A handle of another server needs its host: ${handle.replace(/@.*/, "")}@HOST`
        : undefined
    throw hint === undefined || handle.includes(`@${account.host}`)
      ? error
      : new KezError(error.code, error.message, { cause: error, hint })
  }
}

/** Whoever has this key as his primary: by chains that are here, else by what the own server says, which the chain then has to confirm. */
async function addByKey(context: Context, chat: OpenChat, key: string): Promise<Contact> {
  const handles = await handlesOfKey(context, chat, { primary: key })
  const contact = await addFirst(chat, handles, key)
  assertOwner(chat, contact, { primary: key })
  return contact
}

/** Whoever proved the account: its own place is looked at now, and says whose it is. */
async function addByAccount(context: Context, chat: OpenChat, subject: string): Promise<Contact> {
  const answer = await verifyOne(context, chat, subject)
  const { verdict } = answer
  if (verdict.status !== "valid" || verdict.primary === undefined) throw notProven(subject, answer)
  const owner = { primary: verdict.primary, ...(verdict.chain === undefined ? {} : { chain: verdict.chain.id }) }
  const known = owner.chain === undefined ? undefined : await chat.engine.contacts.find(owner.chain)
  if (known?.handle !== undefined) return known
  const contact = await addFirst(chat, await handlesOfKey(context, chat, owner), subject)
  assertOwner(chat, contact, owner)
  return contact
}

interface Owner {
  readonly primary: string
  readonly chain?: string
}

async function verifyOne(context: Context, { demands, stores }: OpenChat, subject: string): Promise<Answer> {
  const { createVerifyMany } = await import("../graph/verify-subjects.ts")
  context.terminal.progress(`looking at ${subject}`)
  const [answer] = await createVerifyMany(context, { ...demands, stores: await stores() })([subject])
  if (answer === undefined) throw new KezError("channel.unsupported", `Cannot look at ${subject}`)
  return answer
}

/** First those of the own server: only with people there can one chat. */
async function handlesOfKey(context: Context, chat: OpenChat, { primary, chain }: Owner): Promise<readonly string[]> {
  const replays = await readStore<readonly ChainReplay[]>(context, [], async (store) => {
    const { chainsOfKey, loadChain } = await import("../store/chains.ts")
    const ids = chain === undefined ? chainsOfKey(store, primary, "primary") : [chain]
    return ids.flatMap((id) => loadChain(store, id) ?? [])
  })
  const { host } = chat.account
  const listed = replays.flatMap(handlesIn)
  if (listed.some((handle) => handle.endsWith(`@${host}`)))
    return [...listed].sort((a, b) => Number(b.endsWith(`@${host}`)) - Number(a.endsWith(`@${host}`)))
  const { net, timeoutMs } = chat.demands
  const named = await askByPrimary(await net(), host, chain ?? primary, timeoutMs)
  return [...named, ...listed]
}

async function addFirst(chat: OpenChat, handles: readonly string[], who: string): Promise<Contact> {
  const [first] = handles
  if (first !== undefined) return addHandle(chat, first)
  throw unknownPerson(
    who,
    `the owner has no handle at ${chat.account.host}, and the chain names none elsewhere. Ask for the handle`,
  )
}

/** What the server or an unsigned list said is confirmed by the chain that was pinned, or it is not this person. */
function assertOwner({ chains }: OpenChat, contact: Contact, { primary, chain }: Owner): void {
  const replay = chains.known(contact.chain)
  const isSame = chain === undefined ? replay?.state.primaries.includes(primary) === true : contact.chain === chain
  if (isSame) return
  throw new KezError(
    "account.one_sided",
    `Cannot take ${contact.handle ?? contact.chain} for the owner of ${shortKey(primary)}: it belongs to another chain`,
    {
      hint: "The server named somebody else. Ask the person for the handle by another way.",
    },
  )
}

function notProven(subject: string, { verdict }: Answer): KezError {
  const { word } = badgeOf(verdict)
  const why = verdict.reason === undefined ? word : `${word}: ${reasonText(verdict.reason, "place")}`
  return new KezError(verdict.reason ?? "proof.not_found", `Cannot find a person by ${subject}: ${why}`, {
    hint: `What was seen: kez verify id ${subject}\nOr ask for the handle.`,
  })
}

function unknownPerson(who: string, why: string): KezError {
  return new KezError("store.unknown", `Cannot find ${who}: ${why}`)
}

/** Only people of one server can write to each other yet. */
export function assertSameHost({ account }: OpenChat, { handle }: Contact): void {
  if (handle === undefined || handle.endsWith(`@${account.host}`)) return
  throw new KezError("usage", `Cannot write to ${handle}: servers do not pass messages to each other yet`, {
    hint: `Your account is at ${account.host}. For one there: kez account create HANDLE@${handle.slice(handle.indexOf("@") + 1)}`,
  })
}
