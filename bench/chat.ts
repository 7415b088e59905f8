/** Messages between two people, encrypted and opened, against the raw AEAD and signature of the same backend in the same rounds. */
import { randomBytes } from "node:crypto"
import {
  type CipherStore,
  createConversation,
  createDeviceKeys,
  createKeyPackage,
  deviceSigner,
  directPolicy,
  type GroupCipher,
  joinConversation,
  signDeviceCredential,
} from "@kez/chat"
import { appendEvent, type ChainReplay, createSigner, suites, verifyEd25519 } from "@kez/core"
import { backend } from "../packages/chat/src/backend/node.ts"
import { median, perSecond, type Row } from "./measure.ts"

/** A store that forgets: what is measured is the cipher. */
const nowhere: CipherStore = { saveRecord: async () => {}, appendJournal: async () => {} }
const now = Math.floor(Date.now() / 1000)
const content = randomBytes(200)

export async function chatRows(count: number, rounds: number): Promise<readonly Row[]> {
  const [alice, bob] = await conversation()
  const pairs: { limit: number; seal: number; open: number; openLimit: number }[] = []
  for (let round = 0; round <= rounds; round++) {
    const limit = await timed(() => sealRaw(count))
    const sent: Uint8Array[] = []
    const seal = await timed(async () => {
      for (let i = 0; i < count; i++) sent.push(await alice.encrypt(content))
    })
    const openLimit = await timed(() => openRaw(count))
    const open = await timed(() => openAll(bob, sent))
    if (round > 0) pairs.push({ limit, seal, open, openLimit }) // the first one warms up
  }
  return [
    row(
      "message of 200 bytes in a DM, encrypted",
      count,
      pairs.map(({ limit, seal }) => ({ limit, product: seal })),
    ),
    row(
      "the same, opened",
      count,
      pairs.map(({ openLimit, open }) => ({ limit: openLimit, product: open })),
    ),
  ]
}

async function openAll(bob: GroupCipher, sent: readonly Uint8Array[]): Promise<void> {
  for (const message of sent) {
    const outcome = await bob.decrypt(message)
    if (outcome.kind !== "message") throw new Error(`not opened: ${outcome.kind}`)
  }
}

const box = { key: randomBytes(16), nonce: randomBytes(12), additionalData: randomBytes(150) }
const seed = randomBytes(32)
const publicKey = suites.ed25519.publicKey(seed)
const padded = randomBytes(300)
const sealed = await backend.sealAesGcm(box, padded)
const signature = await backend.signEd25519(seed, padded)

/** What each message cannot do without: one signature, and the AEAD over content and over sender data. */
async function sealRaw(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await backend.signEd25519(seed, padded)
    await backend.sealAesGcm(box, padded)
    await backend.sealAesGcm(box, padded.subarray(0, 12))
  }
}

async function openRaw(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await backend.openAesGcm(box, sealed)
    await backend.openAesGcm(box, sealed)
    if (!verifyEd25519(signature, padded, publicKey)) throw new Error("raw verify failed")
  }
}

function row(what: string, count: number, pairs: readonly { limit: number; product: number }[]): Row {
  const ratio = median(pairs.map(({ limit, product }) => limit / product))
  return {
    what,
    product: perSecond(count, median(pairs.map(({ product }) => product))),
    limit: `${perSecond(count, median(pairs.map(({ limit }) => limit)))} raw AEAD and signature`,
    ratio,
    target: ">= 0.2",
    holds: ratio >= 0.2,
  }
}

async function timed(run: () => Promise<void>): Promise<number> {
  const began = performance.now()
  await run()
  return performance.now() - began
}

async function conversation(): Promise<readonly [GroupCipher, GroupCipher]> {
  const people = [await person(), await person()] as const
  const chains = (chain: string): ChainReplay | undefined => people.find(({ replay }) => replay.chain === chain)?.replay
  const ports = people.map(({ keys }) => ({ chains, keys, store: nowhere, now: () => now }))
  const members = people.map(({ replay }) => ({ chain: replay.chain, role: "owner" as const }))
  const sorted = members.toSorted((a, b) => (a.chain < b.chain ? -1 : 1))
  const body = {
    version: 1,
    kind: "dm",
    salt: randomBytes(32).toString("hex"),
    members: sorted,
    policy: directPolicy,
  } as const
  const [first, second] = ports
  if (first === undefined || second === undefined) throw new Error("nobody")
  const alice = await createConversation(body, people[0].credential, first)
  const own = await createKeyPackage({ keys: people[1].keys, credential: people[1].credential, now })
  const { welcome = new Uint8Array() } = await alice.add([own.bytes])
  await alice.accept()
  return [alice, (await joinConversation(welcome, [own], second)).cipher]
}

async function person() {
  const primary = createSigner("ed25519", randomBytes(32))
  const keys = createDeviceKeys()
  const operation = { op: "add_device", device: deviceSigner(keys) } as const
  const { replay } = await appendEvent({ chain: undefined, operation, now }, primary)
  return { replay, keys, credential: await signDeviceCredential({ chain: replay.chain, keys, now }) }
}
