/** `kez identity new`: a key, its file, and the words on paper. */
import { userInfo } from "node:os"
import { KezError } from "@kez/core"
import type { Context } from "../context.ts"
import { keyFilePath } from "../keys/key-file-place.ts"
import { makeIdentity } from "../keys/new-identity.ts"
import { newPassphrase } from "../keys/passphrase.ts"
import { isName } from "../paths.ts"
import type { Outcome } from "../run.ts"
import { formatWordGrid } from "../terminal/recall.ts"
import { formatIdentityView, viewOf } from "./identity-view.ts"
import { chooseName } from "./name-input.ts"

interface Options {
  readonly args: readonly string[]
  readonly mnemonicWords?: string
  readonly passphrase?: boolean
  readonly revealWords?: boolean
}

export async function run(context: Context, options: Options): Promise<Outcome> {
  const { paths } = context
  const count = wordCount(options.mnemonicWords)
  const user = userInfo().username.toLowerCase()
  const name = await chooseName(context, {
    given: options.args[0],
    flag: "a name: kez identity new NAME",
    fallback: isName(user) ? user : "me",
  })
  const passphrase = await newPassphrase(context, options.passphrase === false)
  const isEncrypted = passphrase !== undefined
  const { record, words } = await makeIdentity(context, { name, words: count, passphrase })
  const view = viewOf(context, record, { keyFile: { path: keyFilePath(paths.keys, name, isEncrypted), isEncrypted } })
  const revealed = options.revealWords === true
  return {
    schema: "kez.identity/1",
    data: revealed ? { ...view, recovery_words: words } : view,
    text: [`✓ ${formatIdentityView(context, view)}`, ...(revealed ? formatWordGrid(words, 4) : [])].join("\n"),
    next: record.backup === "confirmed" ? "kez claim create dns:YOURDOMAIN" : `kez identity mnemonic ${name}`,
  }
}

function wordCount(text: string | undefined): 12 | 24 {
  if (text === undefined || text === "24") return 24
  if (text === "12") return 12
  throw new KezError("usage", "Cannot make the words: expected --mnemonic-words 12 or 24")
}
