/** DNS over HTTPS in wire format. RFC 8484. */
import type { URL } from "node:url"
import { encode, type Packet, RECURSION_DESIRED } from "dns-packet"
import { decompress } from "./body.ts"
import { readMessage } from "./dns-message.ts"
import { type AskServer, dnsFailure } from "./dns-query.ts"
import { exchange } from "./exchange.ts"
import { fetchLimits, maxDnsMessageBytes } from "./limits.ts"

const mediaType = "application/dns-message"

/**
 * Creates a question to a DoH server. The URL is the user's own choice, so it may be private or have another port;
 * its host is resolved by the system.
 */
export function askDohServer(url: URL, ca: string | undefined): AskServer {
  const server = url.href
  return async (question, signal) => {
    // Id 0 so that caches can work; TLS tells answers apart. RFC 8484 §4.1.
    const query: Packet = { type: "query", id: 0, flags: RECURSION_DESIRED, questions: [{ ...question }] }
    const answer = await exchange(
      {
        url,
        method: "POST",
        headers: { accept: mediaType, "content-type": mediaType },
        body: new Uint8Array(encode(query)),
        ca,
        limits: { ...fetchLimits, maxWireBytes: maxDnsMessageBytes },
      },
      signal,
    )
    const contentType = answer.headers["content-type"]?.split(";")[0]?.trim().toLowerCase()
    if (answer.status !== 200 || contentType !== mediaType) {
      throw dnsFailure("net.dns", question, { server, got: `HTTP ${answer.status} ${contentType ?? ""}`.trim() })
    }
    const body = await decompress(answer.wireBody, answer.headers["content-encoding"], maxDnsMessageBytes)
    return readMessage(body, question, server)
  }
}
