/** `kez claim dns`: the zone lines that prove a domain. SPEC §4.5, §7.1 */
import { KezError } from "@kez/core"
import type { Context } from "../context.ts"
import { currentIdentity, signerFor } from "../keys/signers.ts"
import { assertInForce, type ClaimOptions, findUsableClaim, makeClaim, readForm, readSubject } from "../own-claims.ts"
import type { Handler } from "../run.ts"
import type { OwnClaim } from "../store/claims.ts"
import { describeClaim, reference } from "./claim-create.ts"

export interface ClaimDnsOptions extends ClaimOptions {
  /** Make a claim even where an older one serves. */
  readonly new?: boolean
  /** Print the short form that names the chain. */
  readonly reference?: boolean
}

export const run: Handler<ClaimDnsOptions> = async (context, { args: [domain = ""], ...options }) => {
  const subject = readSubject(/^dns:/i.test(domain) ? domain : `dns:${domain}`)
  const form = readForm({ ...options, format: "dns" }, subject)
  if (options.reference === true) {
    if (options.new === true || options.expires !== undefined) {
      throw new KezError("usage", "Cannot use --new or --expires with --reference: the chain says how long it holds")
    }
    return reference(context, subject, { ...options, asZoneLine: true })
  }
  // A request for another life needs another claim.
  const mustMake = options.new === true || options.expires !== undefined
  const earlier = mustMake ? undefined : await earlierClaim(context, subject)
  if (earlier !== undefined) return describeClaim(context, earlier.claim, { ...options, form, reused: true })
  const claim = await makeClaim(context, await signerFor(context), { subject, expires: options.expires })
  return describeClaim(context, claim, { ...options, form, reused: false })
}

async function earlierClaim(context: Context, subject: string): Promise<OwnClaim | undefined> {
  const { readStore } = await import("../store/access.ts")
  const { key } = await currentIdentity(context)
  await assertInForce(context, key)
  return readStore<OwnClaim | undefined>(context, undefined, async (store) => {
    const [{ loadClaims }, { chainOfKey }] = await Promise.all([
      import("../store/claims.ts"),
      import("../own-chain.ts"),
    ])
    return findUsableClaim(loadClaims(store, { subject, keys: [key] }), context.now(), chainOfKey(store, key))
  })
}
