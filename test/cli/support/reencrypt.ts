/** `reencrypt.ts OLD NEW`: what `kez identity passphrase` does, with a low work factor. Prints "done" at its end. */
import { readEnv } from "../../../apps/cli/src/config.ts"
import { replaceKeyFile } from "../../../apps/cli/src/keys/identities.ts"
import { decryptKey, encryptKey, tryReadKeyFile } from "../../../apps/cli/src/keys/key-file.ts"
import { findPaths } from "../../../apps/cli/src/paths.ts"

const [oldPassphrase = "", newPassphrase = ""] = process.argv.slice(2)
const paths = findPaths(readEnv(), undefined)
const file = tryReadKeyFile(paths.keys, "zero")
if (file === undefined) throw new Error("no key file")
const key = await decryptKey(file.text, oldPassphrase)
await replaceKeyFile(paths, "zero", {
  oldText: file.text,
  newText: await encryptKey(key, newPassphrase, 6),
  wasEncrypted: true,
  isEncrypted: true,
})
console.log("done")
