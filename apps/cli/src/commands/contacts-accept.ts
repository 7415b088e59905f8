/** `kez contacts accept`: somebody who wrote first is a contact from now on; takes a block back too. */
import { standWith } from "./contacts-stand.ts"

export const run = standWith("accept")
