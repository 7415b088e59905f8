/** `kez claim create`: a signed claim in the form that its place takes. SPEC §2.2, §4 */
import { type Claim, encodeProof, envelopeDigest, type ProofForm } from "@kez/core"
import type { Context } from "../context.ts"
import { currentIdentity, signerFor } from "../keys/signers.ts"
import { type ClaimOptions, claimText, deliver, makeClaim, readForm, readSubject } from "../own-claims.ts"
import type { Handler, Outcome } from "../run.ts"

export const run: Handler<ClaimOptions> = async (context, { args: [typed = ""], ...options }) => {
  const subject = readSubject(typed)
  const form = readForm(options, subject)
  if (form === "reference") return reference(context, subject, options)
  const claim = await makeClaim(context, await signerFor(context), { subject, expires: options.expires })
  return describeClaim(claim, form, { ...options, reused: false })
}

/** What `claim create` and `claim dns` print. */
export function describeClaim(
  claim: Claim,
  form: ProofForm,
  options: ClaimOptions & { readonly reused: boolean },
): Outcome {
  const { subject, primary, created_at, expires_at } = claim.payload
  const text = claimText(claim, form, options)
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
    text: deliver(text, options),
    next: nextAfter(subject, options.out),
  }
}

function nextAfter(subject: string, file: string | undefined): string {
  if (subject.startsWith("dns:")) return `publish the record, then: kez verify id ${subject}`
  return `publish ${file ?? "the text"} where ${subject} alone can, then: kez sigchain add ${subject}`
}

/** A reference needs no claim and no key: it names the chain, and the chain names the account. */
async function reference(context: Context, subject: string, options: ClaimOptions): Promise<Outcome> {
  const { key } = await currentIdentity(context)
  const [{ existingChainOfKey, noChain }, { readStore }] = await Promise.all([
    import("../own-chain.ts"),
    import("../store/access.ts"),
  ])
  const chain = await readStore(context, undefined, (store) => existingChainOfKey(store, key))
  if (chain === undefined) throw noChain(key)
  const text = encodeProof({ chain: chain.chain }, "reference")
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
    text: deliver(text, options),
    ...(isListed
      ? {}
      : {
          warnings: [`the chain does not list ${subject}: until it does, the reference proves nothing`],
          next: `kez sigchain add ${subject}`,
        }),
  }
}
