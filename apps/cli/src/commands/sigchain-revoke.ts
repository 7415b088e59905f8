/** `kez sigchain revoke`: the account is not yours any more, or never was. SPEC §5.2 */
import { readSubject } from "../own-claims.ts"
import type { Handler } from "../run.ts"
import { always, appendAsSelf } from "./sigchain-append.ts"

export const run: Handler<object> = async (context, { args: [typed = ""] }) => {
  const subject = readSubject(typed)
  return appendAsSelf(context, {
    plan: always({ op: "revoke", subject }),
    notes: ["  Readers see it as soon as they see the chain: publish the chain now."],
  })
}
