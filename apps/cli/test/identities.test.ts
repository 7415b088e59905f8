/** The store of identities: records, key files, and two writers at once. */
import assert from "node:assert/strict"
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import { readEnv } from "../src/config.ts"
import { createFile } from "../src/keys/durable-file.ts"
import {
  addIdentity,
  assertFree,
  findCurrentName,
  listIdentities,
  listOrphans,
  newRecord,
  readIdentity,
  removeIdentity,
  replaceKeyFile,
  restoreKeyFile,
  tryReadIdentity,
  useIdentity,
} from "../src/keys/identities.ts"
import { findPaths, type Paths } from "../src/paths.ts"

const root = mkdtempSync(join(tmpdir(), "kez-identities-"))
after(() => rmSync(root, { recursive: true }))
const identity = `ed25519:${"ab".repeat(32)}`
let homes = 0

const emptyHome = (): Paths => findPaths(readEnv({ KEZ_HOME: join(root, String(homes++)) }), undefined)

function made(name: string, keyText = `key of ${name}`) {
  const record = newRecord(name, identity, { words: 24, backup: "pending", createdAt: "2026-01-01T00:00:00Z" })
  return { record, keyText, isEncrypted: true }
}

test("addIdentity() stores privately, and the first identity is the one in use", async () => {
  const paths = emptyHome()
  await addIdentity(paths, made("one"))
  await addIdentity(paths, made("two"))
  assert.deepEqual(
    listIdentities(paths).map(({ name }) => name),
    ["one", "two"],
  )
  assert.equal(findCurrentName(paths), "one")
  for (const dir of [paths.data, paths.keys, paths.identities]) assert.equal(statSync(dir).mode & 0o777, 0o700, dir)
  for (const dir of [paths.keys, paths.identities]) {
    for (const file of readdirSync(dir)) assert.equal(statSync(join(dir, file)).mode & 0o777, 0o600, file)
  }
})

test("addIdentity() never overwrites", async () => {
  const paths = emptyHome()
  await addIdentity(paths, made("one"))
  await assert.rejects(addIdentity(paths, made("one", "other")), { code: "store.exists" })
  assert.equal(readFileSync(join(paths.keys, "one.age"), "utf8"), "key of one")
  assert.throws(() => assertFree(paths, "one"), { code: "store.exists" })
})

test("addIdentity() refuses names that are paths", async () => {
  for (const name of ["../one", "a/b", "", ".hidden", "UPPER"]) {
    await assert.rejects(addIdentity(emptyHome(), made(name)), { code: "usage" }, name)
  }
})

test("createFile() leaves an existing file and no temporary one behind", () => {
  const { data } = emptyHome()
  const path = `${data}-file`
  createFile(path, "first")
  assert.throws(() => createFile(path, "second"), { code: "store.exists" })
  assert.equal(readFileSync(path, "utf8"), "first")
  assert.deepEqual(
    readdirSync(root).filter((file) => file.endsWith(".tmp")),
    [],
  )
})

test("findCurrentName() is the only identity, or none of several without a choice", async () => {
  const paths = emptyHome()
  assert.equal(findCurrentName(paths), undefined)
  await addIdentity(paths, made("one"))
  rmSync(paths.current)
  assert.equal(findCurrentName(paths), "one")
  await addIdentity(paths, made("two"))
  rmSync(paths.current)
  assert.equal(findCurrentName(paths), undefined)
  await useIdentity(paths, "two")
  assert.equal(findCurrentName(paths), "two")
})

test("removeIdentity() removes key, record and the choice of it", async () => {
  const paths = emptyHome()
  await addIdentity(paths, made("one"))
  await removeIdentity(paths, "one")
  assert.deepEqual([listIdentities(paths), listOrphans(paths), findCurrentName(paths)], [[], [], undefined])
})

test("listOrphans() finds a key file whose record is missing", async () => {
  const paths = emptyHome()
  await addIdentity(paths, made("one"))
  rmSync(join(paths.identities, "one.json"))
  assert.deepEqual(listOrphans(paths), ["one"])
  assert.throws(() => assertFree(paths, "one"), { code: "store.exists" })
})

test("B12 replaceKeyFile() refuses to undo what another process has just written", async () => {
  const paths = emptyHome()
  await addIdentity(paths, made("one", "old"))
  const change = { oldText: "old", wasEncrypted: true, isEncrypted: true }
  await replaceKeyFile(paths, "one", { ...change, newText: "of the first" })
  await assert.rejects(replaceKeyFile(paths, "one", { ...change, newText: "of the second" }), { code: "store.busy" })
  assert.equal(readFileSync(join(paths.keys, "one.age"), "utf8"), "of the first")
})

test("restoreKeyFile() leaves one key file, whatever kinds there were", async () => {
  const paths = emptyHome()
  await addIdentity(paths, made("one"))
  await restoreKeyFile(paths, { ...made("one", "plain"), isEncrypted: false })
  assert.deepEqual(readdirSync(paths.keys).sort(), [".lock", "one.key"])
})

for (const [name, text] of [
  ["text", "not json"],
  ["an array", "[]"],
  ["null", "null"],
  ["the record of another name", JSON.stringify(made("two").record)],
  ["no identity", JSON.stringify({ ...made("one").record, identity: "\x1b[31m" })],
  ["an unknown state", JSON.stringify({ ...made("one").record, backup: "maybe" })],
] as const) {
  test(`readIdentity() refuses a record that is ${name}`, async () => {
    const paths = emptyHome()
    await addIdentity(paths, made("one"))
    writeFileSync(join(paths.identities, "one.json"), text)
    assert.throws(() => readIdentity(paths, "one"), { code: "store.corrupt", hint: /unlock one/ })
  })
}

test("readIdentity() is store.unknown without a record, tryReadIdentity() undefined", () => {
  const paths = emptyHome()
  assert.throws(() => readIdentity(paths, "none"), { code: "store.unknown" })
  assert.equal(tryReadIdentity(paths, "none"), undefined)
})
