/** `kez sigchain add-device`: another key of yours may speak for the identity. It signs that it wants to. SPEC CHAIN-17 */
import { signerFor } from "../keys/signers.ts"
import type { Handler } from "../run.ts"
import { always, appendAsSelf } from "./sigchain-append.ts"

export const run: Handler<object> = async (context, { args: [name = ""] }) =>
  appendAsSelf(context, { plan: always({ op: "add_device", device: await signerFor(context, name) }) })
