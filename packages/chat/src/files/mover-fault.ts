/** What the mover refuses, in the codes of SPEC §12. */
import { type Code, KezError } from "@kez/core"

export interface MoverFault {
  readonly code: string
  readonly message: string
  readonly hint?: string
}

const codesOfMover: Readonly<Record<string, Code>> = {
  "start.store": "store.busy",
  "start.bind": "file.program",
  "start.discovery": "file.program",
  "file.missing": "input.unreadable",
  "file.read": "input.unreadable",
  "file.changed": "file.changed",
  "file.store": "store.write",
  "name.unsafe": "file.name",
  "name.twin": "file.name",
  "target.missing": "store.write",
  "target.exists": "store.exists",
  "target.symlink": "file.name",
  "target.write": "store.write",
  "disk.full": "store.write",
  "peer.refused": "file.refused",
  "peer.faulty": "file.refused",
  "limit.count": "limit.size",
  "job.busy": "store.busy",
}

/** What kez-iroh refused, with a code of SPEC §12. */
export function moverFault({ code, message, hint }: MoverFault): KezError {
  const known = Object.hasOwn(codesOfMover, code) ? codesOfMover[code] : undefined
  return new KezError(known ?? "file.program", message, hint === undefined ? {} : { hint })
}

/** For `catch`, where a refusal of the mover says what is wanted anyway. */
export function ignoreKez(error: unknown): undefined {
  if (error instanceof KezError) return undefined
  throw error
}
