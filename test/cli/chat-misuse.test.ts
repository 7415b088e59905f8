/** `kez account|contacts|dm|chat` where no server is needed: help, misuse, a missing account. Each error says what to do. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { makeHome, readAnswer } from "./support/home.ts"

for (const [args, exit, code, hint] of [
  [["chat"], 1, "store.unknown", /kez account create HANDLE@HOST/],
  [["dm", "bob", "hi"], 1, "store.unknown", /kez account restore/],
  [["contacts", "list"], 1, "store.unknown", /kez account create/],
  [["contacts", "add", "bob@example.org"], 1, "store.unknown", /kez account create/],
  [["account", "show"], 1, "store.unknown", /kez account create/],
  [["account", "show", "nobody@example.org"], 1, "store.unknown", /kez account create/],
  [["account", "archive"], 1, "store.unknown", /kez account create/],
  [["account", "create"], 2, "usage", /--help|ACCOUNT/],
  [["account", "create", "alice"], 2, "usage", /host/],
  [["account", "create", "al@example.org"], 2, "identity.syntax", /3 to 30|alice/],
  [["account", "create", "alice@-"], 2, "identity.syntax", undefined],
  [["account", "create", "alice@localhost"], 2, "net.host", /\[hosts\]/],
  [["account", "restore"], 2, "input.missing", /--mnemonic/],
  [["account", "rename", "new"], 1, "store.unknown", /kez account create/],
  [["account", "move", "a@example.org"], 1, "store.unknown", /kez account create/],
  [["dm"], 2, "usage", undefined],
  [["dm", "bob", "hi", "--wait", "soon"], 2, "usage", undefined],
  [["dm", "bob", "--tail", "0"], 2, "usage", undefined],
  [["dm", "bob", "hi", "--tail"], 2, "usage", undefined],
  [["contacts", "accpt", "bob"], 2, "usage", /accept/],
  [["files", "share", "README.md"], 2, "usage", /--with bob/],
  [["files", "share", "README.md", "--with", "bob", "--everyone"], 2, "usage", /either/],
  [["files", "share", "--everyone", "README.md"], 2, "usage", undefined],
  [["files", "share", "README.md", "--everyone", "friends"], 2, "usage", /--everyone contacts/],
  [["files", "share", "/no/such/file", "--everyone"], 1, "input.unreadable", /nothing there|no such|not there/i],
  [["files", "list"], 1, "store.unknown", /kez account create/],
  [["files", "browse"], 2, "usage", undefined],
  [["files", "browse", "bob", "--wait", "soon"], 2, "usage", undefined],
  [["files", "get", "bob"], 2, "usage", undefined],
  [["files", "brows", "bob"], 2, "usage", /browse/],
] as const) {
  test(`kez ${args.join(" ")} is ${code}`, async () => {
    await using home = makeHome()
    const { code: ended, ...result } = await home.run([...args, "--json", "--no-input"])
    const { error } = readAnswer(result)
    assert.equal(error.code, code, JSON.stringify(error))
    if (code !== "net.host") assert.equal(ended, exit)
    if (hint !== undefined) assert.match(`${error.hint ?? ""} ${error.message}`, hint)
  })
}

for (const command of [
  ...["account", "account create", "account archive", "contacts", "contacts check", "dm", "chat"],
  ...["files", "files share", "files get"],
]) {
  test(`kez ${command} --help shows examples first`, async () => {
    await using home = makeHome()
    const { code, stdout } = await home.run([...command.split(" "), "--help"])
    assert.equal(code, 0)
    assert.match(stdout, new RegExp(`^[^\\n]+\\n\\nExamples\\n {2}\\$ kez ${command}`))
  })
}

test("kez files share --help says who of a group gets it", async () => {
  await using home = makeHome()
  const { stdout } = await home.run(["files", "share", "--help"])
  assert.match(stdout, /\$ kez files share plan\.txt --with garden/)
  assert.match(
    stdout.replaceAll(/\s+/g, " "),
    /a group by its name: those of your contacts who are in it now, as long as they are; not who comes later/,
  )
})

test("an invitation code has no place among the arguments", async () => {
  await using home = makeHome()
  const { code, stdout } = await home.run(["account", "create", "alice@localhost", "--invitation", "x", "--json"])
  assert.equal(code, 2)
  assert.equal(readAnswer({ stdout }).error.code, "usage")
})

test("kez help chat is the guide", async () => {
  await using home = makeHome()
  const { stdout } = await home.run(["help", "chat"])
  assert.match(stdout, /kez account create alice@chat\.example\.org/)
})

test("kez help files is the guide", async () => {
  await using home = makeHome()
  const { stdout } = await home.run(["help", "files"])
  assert.match(stdout, /kez files share ~\/photos --with bob/)
})

test("accounts of a damaged record are told by its path, and nothing is deleted", async () => {
  await using home = makeHome()
  const { mkdirSync, writeFileSync } = await import("node:fs")
  const folder = `${home.paths.accounts}/0123456789abcdef`
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${folder}/account.json`, "{}")
  const { stdout } = await home.run(["account", "show", "--json"])
  const { error } = readAnswer({ stdout })
  assert.equal(error.code, "store.corrupt")
  assert.match(error.message, /0123456789abcdef/)
})
