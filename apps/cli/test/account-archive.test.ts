/** The archive's key in the record of an account, and what is known of the archive without asking anybody. */
import assert from "node:assert/strict"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { archiveKeyPairOfWords, publicArchiveKey } from "@kez/chat"
import { KezError } from "@kez/core"
import { archiveSecretOf, tryArchiveKey, withArchiveKey } from "../src/account/archive-key.ts"
import { archiveKeyOf, hasArchiveKey, knownArchive, noteArchive, whatComesBack } from "../src/account/archive-state.ts"
import { primaryOf } from "../src/account/primary.ts"
import { type AccountRecord, folderOf, writeAccount } from "../src/account/records.ts"
import type { Context } from "../src/context.ts"
import type { KeyMaterial } from "../src/keys/key-text.ts"
import { add, contextAt, grow, signerOf, temporaryDir } from "./support/people.ts"

const keyOf = (number: number): KeyMaterial => ({ system: "ed25519", secret: new Uint8Array(32).fill(number) })
const chain = await grow(undefined, signerOf(1), add("kez:alice@localhost"))

function accountIn(t: { after(clean: () => void): void }) {
  const dir = temporaryDir(t)
  const warnings: string[] = []
  const paths = { accounts: join(dir, "accounts"), currentAccount: join(dir, "account") }
  const context = { ...contextAt(dir), paths, warn: (text: string) => void warnings.push(text) } as unknown as Context
  const record = {
    ...{ id: "0123456789abcdef", handle: "alice", host: "localhost", identity: "alice", state: "ready" },
    ...{ primary: signerOf(1).key, chain: chain.chain, device: signerOf(9).key },
    ...{ statements: [], created_at: "2026-01-01T00:00:00Z" },
  } as const satisfies AccountRecord
  writeAccount(context.paths, record)
  return { context, record, warnings }
}

test("withArchiveKey() signs what the words open, once, and anew for another primary", async (t) => {
  const { context, record } = accountIn(t)
  assert.equal(hasArchiveKey(record, record.primary), false)
  const made = await withArchiveKey(context, record, keyOf(1))
  const envelope = archiveKeyOf(made)
  assert.ok(envelope !== undefined && hasArchiveKey(made, record.primary))
  const { publicKey, secretKey } = await archiveKeyPairOfWords(keyOf(1).secret)
  assert.deepEqual(publicArchiveKey(envelope, chain), publicKey)
  assert.deepEqual(await archiveSecretOf(keyOf(1)), secretKey)
  assert.equal((await withArchiveKey(context, made, keyOf(1))).archive_key, made.archive_key)
  const rotated = await withArchiveKey(context, made, keyOf(2))
  assert.deepEqual([archiveKeyOf(rotated)?.signature.key, archiveKeyOf(rotated)?.payload.epoch], [signerOf(2).key, 1])
  assert.ok(!JSON.stringify(rotated).includes(Buffer.from(secretKey).toString("hex")))
})

test("tryArchiveKey() goes on without a key that is out of reach, and says what to do later", async (t) => {
  const { context, record, warnings } = accountIn(t)
  const locked = {
    ...primaryOf(keyOf(1)),
    material: async () => Promise.reject(new KezError("key.locked", "Cannot unlock")),
  }
  assert.equal(await tryArchiveKey(context, record, locked), record)
  assert.match(warnings[0] ?? "", /kez account archive alice@localhost/)
  const made = await tryArchiveKey(context, record, primaryOf(keyOf(1)))
  // Nobody is asked again.
  assert.equal(await tryArchiveKey(context, made, locked), made)
  const broken = { ...locked, material: async () => Promise.reject(new KezError("store.corrupt", "Cannot read")) }
  await assert.rejects(tryArchiveKey(context, record, broken), { code: "store.corrupt" })
})

test("a statement that cannot be read is as none", (t) => {
  const { record } = accountIn(t)
  assert.equal(archiveKeyOf({ ...record, archive_key: "{" }), undefined)
})

test("knownArchive() is what the last chat found, and what its key says before that", async (t) => {
  const { context, record } = accountIn(t)
  const { paths } = context
  assert.equal(knownArchive(paths, record).state, "off")
  assert.match(knownArchive(paths, record).reason ?? "", /kez account archive/)
  const keyed = await withArchiveKey(context, record, keyOf(1))
  assert.deepEqual(knownArchive(paths, keyed), { state: "unknown", reason: undefined })
  assert.equal(knownArchive(paths, keyed, signerOf(2).key).state, "off")
  for (const passing of [{ kind: "waiting" }, { kind: "restoring", messages: 3 }] as const) {
    noteArchive(context, record, passing)
    assert.equal(knownArchive(paths, keyed).state, "unknown")
  }
  noteArchive(context, record, { kind: "closed", reason: "not yet" })
  assert.deepEqual(knownArchive(paths, keyed), { state: "closed", reason: "not yet" })
  assert.match(whatComesBack(paths, keyed), /lost/)
  noteArchive(context, record, { kind: "on" })
  assert.equal(knownArchive(paths, keyed).state, "on")
  assert.match(whatComesBack(paths, keyed), /come back/)
  // Signed since: no chat was online to see it.
  noteArchive(context, record, { kind: "off", reason: "no key" })
  assert.deepEqual([knownArchive(paths, record).state, knownArchive(paths, keyed).state], ["off", "unknown"])
  writeFileSync(join(folderOf(paths, record), "archive.json"), "nonsense")
  assert.equal(knownArchive(paths, keyed).state, "unknown")
})
