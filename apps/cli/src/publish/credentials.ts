/** What a place asks of its owner: from a file, from a login that is there already, from the environment, else from the terminal. */
import type { Credentials, Publisher } from "@kez/channels"
import { KezError, type Signer } from "@kez/core"
import type { Hosts } from "../config-file.ts"
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
  if (wanted.publisher.credential === "key") {
    const signer = await accountSigner(context, wanted)
    return { sign: (bytes) => signer.sign(bytes) }
  }
  return { secret: oneLine(await secretOf(context, wanted)) }
}

/** How a secret is called, where its owner gets one, and what may hold it for KEZ. */
interface SecretKind {
  readonly name: string
  readonly source: string
  readonly sources: string
}

function kindOf(subject: string): SecretKind {
  if (subject.startsWith("github:")) {
    const name = "access token"
    const source = "https://github.com/settings/tokens/new?scopes=gist&description=kez makes one, with the scope gist"
    return { name, source, sources: "Log in with the GitHub CLI: gh auth login. Or set GH_TOKEN" }
  }
  if (subject.startsWith("bluesky:")) {
    const source = "Settings, Privacy and security, App passwords, in Bluesky"
    return { name: "app password", source, sources: "Set KEZ_BSKY_APP_PASSWORD" }
  }
  const scopes = "read:accounts, read:statuses, write:accounts and write:statuses"
  const source = `Preferences, Development, New application, on its server, with the scopes ${scopes}`
  return { name: "access token", source, sources: "Set KEZ_MASTODON_TOKEN" }
}

async function secretOf(context: Context, { subject, credentialFile }: Wanted): Promise<string> {
  if (credentialFile !== undefined) return readCredentialFile(credentialFile)
  const given = await tryKnownSecret(context, subject)
  if (given !== undefined) return given
  const { name, source, sources } = kindOf(subject)
  if (!context.terminal.interactive) {
    throw new KezError("input.missing", `Cannot write as ${subject}: expected its ${name}, got none`, {
      hint: `${sources}, or pass ${flag} FILE.\nWhere to get one: ${source}.`,
    })
  }
  context.terminal.say(`Where to get one: ${source}. KEZ does not keep it.`)
  const text = `${name.charAt(0).toUpperCase()}${name.slice(1)} of ${subject}`
  return context.terminal.askHidden({ text, flag: `${flag} FILE` })
}

async function tryKnownSecret(context: Context, subject: string): Promise<string | undefined> {
  const { env, settings } = context
  if (subject.startsWith("bluesky:")) return env.blueskyAppPassword
  if (subject.startsWith("ap:")) return env.mastodonToken
  if (!subject.startsWith("github:")) return undefined
  // gh itself prefers these two to its own login.
  if (settings.githubToken.value !== undefined) {
    context.terminal.progress("with the token in GH_TOKEN or GITHUB_TOKEN")
    return settings.githubToken.value
  }
  const { tryGhToken } = await import("../gh-login.ts")
  const token = await tryGhToken(ghHost(settings.hosts.value))
  if (token !== undefined) context.terminal.progress("with the login of gh")
  return token
}

/** Where the settings put a forge in the place of GitHub, only a login at that forge is sent to it. */
function ghHost(hosts: Hosts): string {
  const base = Object.entries(hosts).find(([host]) => host.toLowerCase() === "api.github.com")?.[1]
  return base === undefined ? "github.com" : new URL(base).host
}

async function readCredentialFile(path: string): Promise<string> {
  const { readFd, readFile } = await import("../keys/secret-input.ts")
  return path === "-" ? readFd(flag, "0") : readFile(flag, path)
}

/** A secret with a line break inside is a wrong file, and would only be refused by the place. */
function oneLine(text: string): string {
  const secret = text.trim()
  if (/^[!-~]{1,4096}$/.test(secret)) return secret
  throw new KezError("publish.credentials", "Cannot use the credential: expected one word of printable characters")
}

/** The signer of an account that is itself a key: brought along, or an identity on this computer. */
async function accountSigner(context: Context, { subject, credentialFile }: Wanted): Promise<Signer> {
  if (credentialFile !== undefined) return signerOfFile(subject, credentialFile)
  const [{ currentIdentity, wholeSignerFor }, { listIdentities }] = await Promise.all([
    import("../keys/signers.ts"),
    import("../keys/identities.ts"),
  ])
  if ((await currentIdentity(context)).key === subject) return wholeSignerFor(context)
  const held = listIdentities(context.paths).find(({ identity }) => identity === subject)
  if (held !== undefined) return wholeSignerFor(context, held.name)
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
    hint: `Pass it: ${flag} FILE, with its nsec or its words in it\nOr keep it as an identity: kez identity restore NAME --key-type nostr`,
  })
}
