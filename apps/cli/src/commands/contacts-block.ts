/** `kez contacts block`: nothing of him is shown, and nothing is sent to him. */
import { standWith } from "./contacts-stand.ts"

export const run = standWith("block")
