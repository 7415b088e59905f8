/**
 * A site of one's own for `npm start`: a small ActivityPub server with a profile for each of the two people, where their proofs stand.
 * Its name ends in .localhost, which is nobody's on the internet (RFC 6761). SPEC §7.6
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { join } from "node:path"

export const siteHost = "social.localhost"

/** The account's name in KEZ. */
export function subjectOf(name: string): string {
  return `ap:${name}@${siteHost}`
}

/** Puts a proof into a profile, as somebody does who edits it in a browser. */
export function placeProof(folder: string, name: string, proof: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeFileSync(join(folder, `${name}.txt`), `${proof}\n`)
}

export function hasProof(folder: string, name: string): boolean {
  return existsSync(join(folder, `${name}.txt`))
}

export interface Site {
  readonly url: string
  close(): Promise<void>
}

export function startSite(folder: string, port: number): Promise<Site> {
  const server = createServer((request, response) => answer(folder, request, response))
  return new Promise((resolve, reject) => {
    server.once("error", reject)
    server.listen({ host: "127.0.0.1", port }, () =>
      resolve({
        url: `http://127.0.0.1:${port}`,
        close: () =>
          new Promise((done) => {
            server.close(() => done())
            server.closeAllConnections()
          }),
      }),
    )
  })
}

function answer(folder: string, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(request.url ?? "/", `https://${siteHost}`)
  const [, account] = /^acct:([a-z]{1,30})@social\.localhost$/.exec(searchParams.get("resource") ?? "") ?? []
  const [, person] = /^\/users\/([a-z]{1,30})$/.exec(pathname) ?? []
  if (pathname === "/.well-known/nodeinfo") send(response, "application/json", JSON.stringify({ links: [] }))
  else if (pathname === "/.well-known/webfinger" && account !== undefined && hasProof(folder, account))
    send(response, "application/jrd+json", JSON.stringify(webFingerOf(account)))
  else if (person !== undefined && hasProof(folder, person)) {
    const proof = readFileSync(join(folder, `${person}.txt`), "utf8").trim()
    const isPage = (request.headers.accept ?? "").includes("text/html")
    if (isPage) send(response, "text/html; charset=utf-8", pageOf(person, proof))
    else send(response, "application/activity+json", JSON.stringify(actorOf(person, proof)))
  } else response.writeHead(404, { "content-type": "text/plain" }).end("There is nothing here.\n")
}

function send(response: ServerResponse, type: string, body: string): void {
  response.writeHead(200, { "content-type": type, "cache-control": "no-store", vary: "Accept" }).end(body)
}

function webFingerOf(name: string): unknown {
  const self = { rel: "self", type: "application/activity+json", href: `https://${siteHost}/users/${name}` }
  return { subject: `acct:${name}@${siteHost}`, links: [self] }
}

function actorOf(name: string, proof: string): unknown {
  return {
    "@context": "https://www.w3.org/ns/activitystreams",
    id: `https://${siteHost}/users/${name}`,
    type: "Person",
    preferredUsername: name,
    attachment: [{ type: "PropertyValue", name: "KEZ", value: proof }],
  }
}

/** A proof is letters, digits and colons: nothing in it means anything in HTML. */
function pageOf(name: string, proof: string): string {
  return `<!doctype html><meta charset="utf-8"><title>${name}</title>
<h1>${name}@${siteHost}</h1><p>A profile on the local site of <code>npm start</code>.</p><p>KEZ: <code>${proof}</code></p>
`
}
