/** A login that the GitHub CLI holds already: the first rung of publishing at GitHub. SPEC §7.3 */
import { execFile } from "node:child_process"

/** Long enough for a keyring that has to wake up; nobody waits longer for a convenience. */
const timeoutMs = 5_000
const maxOutputBytes = 4_096
const tokenForm = /^[!-~]{1,255}$/

/**
 * The token of `gh` for a host, such as github.com. Undefined when there is no gh, or it is not logged in there.
 * The token goes to the caller alone: what gh says otherwise is not shown, for it could hold one.
 */
export function tryGhToken(host: string): Promise<string | undefined> {
  const options = { timeout: timeoutMs, maxBuffer: maxOutputBytes, killSignal: "SIGKILL", windowsHide: true } as const
  return new Promise((resolve) => {
    // Without a shell, and with the whole environment: gh finds its login by it.
    execFile("gh", ["auth", "token", "--hostname", host], options, (error, stdout) => {
      const token = stdout.trim()
      resolve(error === null && tokenForm.test(token) ? token : undefined)
    }).stdin?.end()
  })
}
