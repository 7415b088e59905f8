/** Which function does which command. */

import { createGate } from "../conversations/gate.ts"
import { maxReadingBytes } from "../limits.ts"
import type { CommandDeps, Handlers } from "./command.ts"
import { commit, welcome } from "./commits.ts"
import { archivePut, archiveRead, history } from "./history.ts"
import { invite } from "./invitations.ts"
import { keyPackagesPut, keyPackagesTake } from "./key-packages.ts"
import { live, send } from "./messages.ts"
import { cursor, session } from "./sessions.ts"

export function createHandlers(deps: CommandDeps): Handlers {
  const reading = createGate(maxReadingBytes)
  return {
    session: session(deps),
    cursor: cursor(deps),
    "key-packages-put": keyPackagesPut(deps),
    "key-packages-take": keyPackagesTake(deps),
    send: send(deps),
    commit: commit(deps),
    welcome: welcome(deps),
    history: history(deps, reading),
    live: live(deps),
    "archive-put": archivePut(deps),
    "archive-read": archiveRead(deps, reading),
    invite: invite(deps),
  }
}
