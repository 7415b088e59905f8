/** The code of an invitation: it lets its holder register, so that it never stands on the command line. */
import { KezError } from "@kez/core"
import type { Context } from "../context.ts"
import { readFd, readFile } from "../keys/secret-input.ts"

export interface InvitationOptions {
  readonly invitationFile?: string
  readonly invitationFd?: string
}

const flags = "--invitation-file FILE or --invitation-fd N, or set KEZ_INVITATION"

/** From a file, a descriptor or KEZ_INVITATION; undefined: none was given. */
export async function tryGivenInvitation(context: Context, options: InvitationOptions): Promise<string | undefined> {
  const { invitationFile, invitationFd } = options
  if (invitationFile !== undefined) return codeOf(await readFile("--invitation-file", invitationFile))
  if (invitationFd !== undefined) return codeOf(await readFd("--invitation-fd", invitationFd))
  return context.env.invitation === undefined ? undefined : codeOf(context.env.invitation)
}

/** Asks for it. Throws `input.missing` where nobody can be asked. */
export async function askInvitation({ terminal }: Context, host: string): Promise<string> {
  if (!terminal.interactive) {
    throw new KezError("handle.invitation", `Cannot register at ${host}: it takes new people by invitation only`, {
      hint: `Ask who runs it for a code, then pass ${flags}.\nNothing is lost: the same command goes on.`,
    })
  }
  terminal.say(`${host} takes new people by invitation. Who runs it gives you a code.`)
  return codeOf(await terminal.askHidden({ text: "Invitation code", flag: flags }))
}

function codeOf(text: string): string {
  const code = text.trim()
  if (/^[!-~]{1,200}$/.test(code)) return code
  throw new KezError("usage", "Cannot use the invitation: expected a code of one line")
}
