/** Names of requests, by which lines of the log and a client's report find together. */
import { randomBytes } from "node:crypto"
import type { IncomingMessage } from "node:http"

const maxRequestIdBytes = 64

const idForm = new RegExp(`^[A-Za-z0-9._-]{1,${maxRequestIdBytes}}$`)

/** Takes the name that came with a request, where it can do no harm in a log; otherwise gives one, which no restart repeats. */
export function createRequestIds(): (request: Pick<IncomingMessage, "headers">) => string {
  const prefix = randomBytes(6).toString("hex")
  let count = 0
  return ({ headers }) => {
    const given = headers["x-request-id"]
    if (typeof given === "string" && idForm.test(given)) return given
    count += 1
    return `${prefix}-${count.toString(36)}`
  }
}
