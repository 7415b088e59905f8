/** `kez claim create`: a signed claim in the form that its place takes. SPEC §2.2, §4 */
import { type Claim, encodeProof, envelopeDigest, type ProofForm } from "@kez/core"
import type { Context } from "../context.ts"
import { currentIdentity, signerFor } from "../keys/signers.ts"
import { type ClaimOptions, claimText, deliver, keepClaim, makeClaim, readForm, readSubject } from "../own-claims.ts"
import type { Handler, Outcome } from "../run.ts"

export const run: Handler<ClaimOptions> = async (context, { args: [typed = ""], ...options }) => {
  const subject = readSubject(typed)
  const form = readForm(options, subject)
  if (form === "reference") return reference(context, subject, options)
  const claim = await makeClaim(context, await signerFor(context), { subject, expires: options.expires })
  return describeClaim(context, claim, { ...options, form, reused: false })
}

/** What `claim create` and `claim dns` print. A claim is kept once its file is written: one that nobody got is no claim. */
export async function describeClaim(
  context: Context,
  claim: Claim,
  options: ClaimOptions & { readonly form: ProofForm; readonly reused: boolean },
): Promise<Outcome> {
  const { form } = options
  const { subject, primary, created_at, expires_at } = claim.payload
  const text = claimText(claim, form, options)
  const shown = deliver(context, text, options)
  if (!options.reused) await keepClaim(context, claim)
  return {
    schema: "kez.claim/1",
    data: {
      subject,
      primary,
      digest: envelopeDigest(claim),
      format: form,
      text,
      file: options.out ?? null,
      created_at,
      expires_at: expires_at ?? null,
      reused: options.reused,
    },
    text: shown,
    next: nextAfter(subject, options.out),
  }
}

function nextAfter(subject: string, file: string | undefined): string {
  const [system] = subject.split(":", 1)
  if (system === "dns") return `put it into the zone, then: kez claim publish ${subject}, which waits until it is seen`
  if (system === "ed25519") return `publish ${file ?? "the text"}, then: kez sigchain add ${subject}`
  return `publish ${file ?? "the text"} where ${subject} alone can (kez help ${system}), or: kez claim publish ${subject}`
}

/** A reference needs no claim and no key: it names the chain, and the chain names the account. */
export async function reference(
  context: Context,
  subject: string,
  options: ClaimOptions & { readonly asZoneLine?: boolean },
): Promise<Outcome> {
  const { key } = await currentIdentity(context)
  const [{ existingChainOfKey, noChain }, { readStore }] = await Promise.all([
    import("../own-chain.ts"),
    import("../store/access.ts"),
  ])
  const chain = await readStore(context, undefined, (store) => existingChainOfKey(store, key))
  if (chain === undefined) throw noChain(key)
  const token = encodeProof({ chain: chain.chain }, "reference")
  const text = options.asZoneLine === true ? zoneLines(subject, token, options.chainHint) : token
  const isListed = chain.state.subjects.get(subject)?.status === "active"
  return {
    schema: "kez.claim/1",
    data: {
      subject,
      primary: chain.state.primary,
      chain: chain.chain,
      format: "reference",
      text,
      file: options.out ?? null,
    },
    text: deliver(context, text, options),
    ...(isListed
      ? {}
      : {
          warnings: [`the chain does not list ${subject}: until it does, the reference proves nothing`],
          next: `kez sigchain add ${subject}`,
        }),
  }
}

/** Records beside each other, as `encodeProof` writes them for claims. SPEC §4.5 */
function zoneLines(subject: string, token: string, chainHint: string | undefined): string {
  const texts = chainHint === undefined ? [token] : [token, `Chain: ${chainHint}`]
  return texts.map((text) => zoneLine(subject, text)).join("\n")
}

function zoneLine(subject: string, text: string): string {
  const strings = text.match(/.{1,255}/g) ?? []
  return `_kez.${subject.slice("dns:".length)}. 3600 IN TXT ${strings.map((part) => `"${part}"`).join(" ")}`
}
