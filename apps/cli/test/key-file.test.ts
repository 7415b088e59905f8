/** Key files on the disk: what opens them, and the one answer for everything that does not. */
import assert from "node:assert/strict"
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import { armor, Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from "age-encryption"
import { decryptKey, encryptKey, looseDirWarning, tryReadKeyFile } from "../src/keys/key-file.ts"
import { formatKey, identityOf, keyOfSeed, keyOfWords } from "../src/keys/key-text.ts"

const workFactor = 4
const passphrase = "correct horse"
const key = keyOfWords("ed25519", `${"abandon ".repeat(11)}about`)
const text = await encryptKey(key, passphrase, workFactor)

const dir = mkdtempSync(join(tmpdir(), "kez-keys-"))
chmodSync(dir, 0o700)
after(() => rmSync(dir, { recursive: true }))

test("decryptKey() opens what encryptKey() wrote", async () => {
  assert.equal(identityOf(await decryptKey(text, passphrase)), identityOf(key))
})

test("encryptKey() writes an armoured age file that age itself opens", async () => {
  const decrypter = new Decrypter()
  decrypter.addPassphrase(passphrase)
  assert.equal(await decrypter.decrypt(armor.decode(text), "text"), formatKey(key))
})

test("decryptKey() opens a file that age itself wrote", async () => {
  const encrypter = new Encrypter()
  encrypter.setPassphrase(passphrase)
  encrypter.setScryptWorkFactor(workFactor)
  const written = armor.encode(await encrypter.encrypt(formatKey(key)))
  assert.equal(identityOf(await decryptKey(written, passphrase)), identityOf(key))
})

test("encryptKey() uses the work factor of age, 18", async () => {
  const header = Buffer.from(armor.decode(await encryptKey(key, passphrase)))
    .toString("latin1")
    .split("\n")
  assert.match(header[1] ?? "", /^-> scrypt [A-Za-z0-9+/]{22} 18$/)
})

/** Every difference that an attacker, or a reader of messages, could tell two failures apart by. */
async function refusalOf(damaged: string, typed: string): Promise<unknown> {
  try {
    await decryptKey(damaged, typed)
  } catch (error) {
    const { code, message, hint, cause } = error as { code: string; message: string; hint: unknown; cause: unknown }
    return { code, message, hint, cause }
  }
  throw new Error("Expected a refusal, got a key")
}

const refusal = await refusalOf(text, "wrong")

test("B8 decryptKey() refuses a wrong passphrase with key.unlock", () => {
  assert.equal((refusal as { code: string }).code, "key.unlock")
})

test("B8 decryptKey() gives the same answer for a file cut at any line", async () => {
  const lines = text.split("\n")
  for (let count = 0; count < lines.length - 2; count++) {
    assert.deepEqual(await refusalOf(lines.slice(0, count).join("\n"), passphrase), refusal, `${count} lines`)
  }
})

test("B8 decryptKey() gives the same answer for the bytes cut anywhere, in whole armour", async () => {
  const bytes = armor.decode(text)
  for (let size = 0; size < bytes.length; size += 7) {
    assert.deepEqual(await refusalOf(armor.encode(bytes.subarray(0, size)), passphrase), refusal, `${size} bytes`)
  }
})

test("B8 decryptKey() gives the same answer for one flipped bit anywhere", async () => {
  const bytes = armor.decode(text)
  // The digit of the work factor decides how much work is done; B9 has its cases.
  const factorAt = Buffer.from(bytes).indexOf(` ${workFactor}\n`) + 1
  for (let at = 0; at < bytes.length; at++) {
    if (at === factorAt) continue
    const flipped = Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ (1 << (at % 8)) : byte))
    assert.deepEqual(await refusalOf(armor.encode(flipped), passphrase), refusal, `bit in byte ${at}`)
  }
})

test("B8 decryptKey() gives the same answer for the header of one file before the body of another", async () => {
  const other = armor.decode(await encryptKey(keyOfSeed("42".repeat(32)), passphrase, workFactor))
  const own = armor.decode(text)
  const bodyAt = (bytes: Uint8Array): number => Buffer.from(bytes).indexOf("\n---") + 49
  const swapped = Buffer.concat([own.subarray(0, bodyAt(own)), other.subarray(bodyAt(other))])
  assert.deepEqual(await refusalOf(armor.encode(swapped), passphrase), refusal)
})

test("B8 decryptKey() gives the same answer for a file to a public key, and for two stanzas", async () => {
  const encrypter = new Encrypter()
  encrypter.addRecipient(await identityToRecipient(await generateX25519Identity()))
  assert.deepEqual(await refusalOf(armor.encode(await encrypter.encrypt("x")), passphrase), refusal)
  const bytes = Buffer.from(armor.decode(text)).toString("latin1")
  const stanza = /-> scrypt[^-]+(?=---)/.exec(bytes)?.[0] ?? ""
  const doubled = Buffer.from(bytes.replace(stanza, stanza + stanza), "latin1")
  assert.deepEqual(await refusalOf(armor.encode(doubled), passphrase), refusal)
})

/** The same file, asking for another work factor. */
function withWorkFactor(factor: string): string {
  const bytes = Buffer.from(armor.decode(text)).toString("latin1")
  return armor.encode(Buffer.from(bytes.replace(/^(-> scrypt \S+) \d+$/m, `$1 ${factor}`), "latin1"))
}

for (const factor of ["21", "23", "30", "63", "64", "1000", "99999999999999999999"]) {
  test(`B9 decryptKey() refuses work factor ${factor} at once`, async () => {
    const began = performance.now()
    await assert.rejects(decryptKey(withWorkFactor(factor), passphrase), { code: "limit.work" })
    assert.ok(performance.now() - began < 500)
  })
}

for (const factor of ["0", "01", "-1", "+4", "4.0", "4e1", "0x4", ""]) {
  test(`B9 decryptKey() does not read ${JSON.stringify(factor)} as a work factor`, async () => {
    assert.deepEqual(await refusalOf(withWorkFactor(factor), passphrase), refusal)
  })
}

for (const mode of [0o644, 0o640, 0o604, 0o660, 0o601]) {
  const shown = `0${mode.toString(8)}`
  test(`B10 tryReadKeyFile() refuses mode ${shown} and names the command that closes it`, () => {
    const path = join(dir, `m${mode}.age`)
    writeFileSync(path, text)
    chmodSync(path, mode)
    assert.throws(() => tryReadKeyFile(dir, `m${mode}`), { code: "store.permissions", hint: /chmod 600/ })
    chmodSync(path, 0o600)
    assert.equal(tryReadKeyFile(dir, `m${mode}`)?.text, text)
  })
}

test("B10 tryReadKeyFile() asks the same of an unencrypted file", () => {
  writeFileSync(join(dir, "plain.key"), formatKey(key), { mode: 0o644 })
  chmodSync(join(dir, "plain.key"), 0o644)
  assert.throws(() => tryReadKeyFile(dir, "plain"), { code: "store.permissions" })
})

test("tryReadKeyFile() is undefined without a file, and refuses a huge one unread", () => {
  assert.equal(tryReadKeyFile(dir, "none"), undefined)
  writeFileSync(join(dir, "huge.age"), "x".repeat(70_000), { mode: 0o600 })
  assert.throws(() => tryReadKeyFile(dir, "huge"), { code: "store.corrupt" })
})

test("looseDirWarning() warns of a directory that others can list, and of no other", () => {
  assert.equal(looseDirWarning(dir), undefined)
  chmodSync(dir, 0o755)
  assert.match(looseDirWarning(dir) ?? "", /chmod 700/)
  chmodSync(dir, 0o700)
})
