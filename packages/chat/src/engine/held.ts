/** What came has to wait. */
import type { FarAhead } from "../cipher/group-cipher.ts"

/** Thrown inside a step to take it back: what came has to wait for something before it. */
export class Held extends Error {
  /** `again`: it could not be worked off, for a reason of our own, and cannot be left out. */
  readonly needs: "commits" | "history" | "chains" | "welcome" | "again"
  /** Of `history`: too many messages of this device are missing before it. */
  readonly far: FarAhead | undefined
  /** `cause`: of `again`. */
  constructor(
    needs: Held["needs"],
    { far, cause }: { readonly far?: FarAhead | undefined; readonly cause?: unknown } = {},
  ) {
    super(`waits for ${needs}`, { cause })
    this.needs = needs
    this.far = far
  }
}
