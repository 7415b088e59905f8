/** What a place asks of its owner: from a file, from a login that is there already, from the environment, else from the terminal. */
import type { Credentials, Publisher } from "@kez/channels"
import { KezError, type Signer } from "@kez/core"
import type { Context } from "../context.ts"

export interface Wanted {
  readonly publisher: Publisher
  /** Canonical identity of the account. */
  readonly subject: string
  /** A file with the token, app password or nsec; `-` is stdin. */
  readonly credentialFile: string | undefined
}

const flag = "--credential-file"

/** Throws `input.missing` where nobody can be asked, `key.not_held` for a key that is not here. */
export async function credentialsFor(context: Context, wanted: Wanted): Promise<Credentials> {
  switch (wanted.publisher.credential) {
    case "key": {
      const signer = await accountSigner(context, wanted)
      return { sign: (bytes) => signer.sign(bytes) }
    }
    case "token":
      return { secret: await secretOf(context, wanted, "Access token") }
    case "password":
      return { secret: await secretOf(context, wanted, "App password") }
  }
}

async function secretOf(context: Context, { subject, credentialFile }: Wanted, what: string): Promise<string> {
  if (credentialFile !== undefined) return oneLine(await readCredentialFile(credentialFile))
  const given = await tryKnownSecret(context, subject)
  if (given !== undefined) return oneLine(given)
  return oneLine(await context.terminal.askHidden({ text: `${what} of ${subject}`, flag: `${flag} FILE` }))
}

async function tryKnownSecret(context: Context, subject: string): Promise<string | undefined> {
  const { env, settings } = context
  if (subject.startsWith("bluesky:")) return env.blueskyAppPassword
  if (subject.startsWith("ap:")) return env.mastodonToken
  if (!subject.startsWith("github:")) return undefined
  const { tryGhToken } = await import("../gh-login.ts")
  return (await tryGhToken("github.com")) ?? settings.githubToken.value
}

async function readCredentialFile(path: string): Promise<string> {
  const { readFd, readFile } = await import("../keys/secret-input.ts")
  return path === "-" ? readFd(flag, "0") : readFile(flag, path)
}

/** A secret with a line break inside is a wrong file, and would only be refused by the place. */
function oneLine(text: string): string {
  const secret = text.trim()
  if (/^[!-~]{1,4096}$/.test(secret)) return secret
  throw new KezError("publish.credentials", "Cannot use the credential: expected one line of printable characters")
}

/** The signer of an account that is itself a key: brought along, or an identity on this computer. */
async function accountSigner(context: Context, { subject, credentialFile }: Wanted): Promise<Signer> {
  if (credentialFile !== undefined) return signerOfFile(subject, credentialFile)
  const [{ currentIdentity, signerFor }, { listIdentities }] = await Promise.all([
    import("../keys/signers.ts"),
    import("../keys/identities.ts"),
  ])
  if ((await currentIdentity(context)).key === subject) return signerFor(context)
  const held = listIdentities(context.paths).find(({ identity }) => identity === subject)
  if (held !== undefined) return signerFor(context, held.name)
  throw notHeld(subject)
}

async function signerOfFile(subject: string, path: string): Promise<Signer> {
  const [{ createSigner }, { keyOfText }] = await Promise.all([import("@kez/core"), import("../keys/key-text.ts")])
  const { system, secret } = keyOfText("nostr", await readCredentialFile(path))
  const signer = createSigner(system, secret)
  if (signer.key !== subject) throw notHeld(subject)
  return signer
}

function notHeld(subject: string): KezError {
  return new KezError("key.not_held", `Cannot write as ${subject}: its secret key is not here`, {
    hint: `Pass it: ${flag} FILE, with an nsec or a seed in it\nOr keep it as an identity: kez identity restore NAME --key-type nostr`,
  })
}
