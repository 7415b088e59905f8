/**
 * How long a connection may stand still while it is answered. Before and between requests Node's own bounds hold (headersTimeout,
 * requestTimeout, keepAliveTimeout); `server.setTimeout` would hold always, and set a timer for each of many reads that are over at once.
 */
import type { RequestListener } from "node:http"

/** Requests to this listener may take their time, and are bound from the start. Ends with the answer: Node sets the bound that holds between requests. */
export function boundedBy(idleMs: number, listener: RequestListener): RequestListener {
  return (request, response) => {
    request.socket.setTimeout(idleMs)
    listener(request, response)
  }
}
