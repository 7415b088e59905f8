/** The part of vectors/channel-bluesky.json about whose account a handle is. SPEC §7.5 BSKY-1 to BSKY-6. */
import {
  account,
  did,
  documentOf,
  handle,
  none,
  otherDid,
  placeOf,
  postOf,
  profileOf,
  proof,
} from "./channel-bluesky-place.ts"
import { absent, channelCase, found, invalid, unreachable } from "./channel-case.ts"
import type { VectorCase } from "./vector-file.ts"

const profileUrl = `https://bsky.app/profile/${did}`
const shown = found(did, [[proof, profileUrl]])
const wellKnown = `https://${handle}/.well-known/atproto-did`
const plc = `https://plc.directory/${did}`
const withProof = { profile: profileOf(proof) }

export function blueskyIdentityCases(): readonly VectorCase[] {
  return [...handleCases(), ...documentCases(), ...movedCases()]
}

function handleCases(): readonly VectorCase[] {
  const host = (body: unknown, status = 200) => ({ url: wellKnown, status, body })
  return [
    channelCase("handle-host", "the file at the handle's host alone", account(withProof), shown),
    channelCase(
      "handle-dns",
      "the TXT record alone",
      account({ ...withProof, host: none, txt: [`did=${did}`] }),
      shown,
    ),
    channelCase(
      "handle-both",
      "both, other records beside it, the same DID twice",
      account({ ...withProof, txt: ["v=x", `did=${did}`, `did=${did}`] }),
      shown,
    ),
    channelCase(
      "handle-lines",
      "only the first line of the file counts, without the space around it",
      account({ ...withProof, host: host(` ${did}\r\nmore\n`) }),
      shown,
    ),
    channelCase(
      "handle-differs",
      "DNS and host name two accounts",
      account({ ...withProof, txt: [`did=${otherDid}`] }),
      invalid("account.one_sided"),
    ),
    channelCase(
      "handle-two-records",
      "two records name two accounts",
      account({ ...withProof, host: none, txt: [`did=${otherDid}`, `did=${did}`] }),
      invalid("account.one_sided"),
    ),
    channelCase(
      "handle-host-down",
      "what gives no answer does not differ",
      account({ ...withProof, host: host("down", 503), txt: [`did=${did}`] }),
      shown,
    ),
    channelCase("handle-nobody", "NXDOMAIN and 404 are answers", account({ host: none }), absent()),
    channelCase(
      "handle-no-did",
      "a record that names no DID leads to nobody",
      account({ host: none, txt: ["did=alice", "DID=x", `"did=${did}"`] }),
      absent(),
    ),
    channelCase(
      "handle-unknown",
      "NXDOMAIN is an answer, the host's 503 is none",
      account({ host: host("down", 503) }),
      unreachable("net.status"),
    ),
    channelCase(
      "handle-page",
      "a page in place of a DID is no answer",
      account({ host: host("<!doctype html><title>hello</title>") }),
      unreachable("net.content_type"),
    ),
    channelCase(
      "handle-method",
      "a DID that atproto does not know",
      account({ host: host("did:example:alice") }),
      unreachable("identity.unsupported"),
    ),
    channelCase(
      "handle-web-path",
      "did:web with a path is none of atproto",
      account({ host: host("did:web:example.com:alice") }),
      unreachable("identity.unsupported"),
    ),
  ]
}

function documentCases(): readonly VectorCase[] {
  const document = (change: object) =>
    account({ ...withProof, document: { url: plc, body: { ...documentOf(), ...change } } })
  const web = "did:web:id.example.com"
  const service = (endpoint: string, type = "AtprotoPersonalDataServer", id = "#atproto_pds") => ({
    service: [{ id, type, serviceEndpoint: endpoint }],
  })
  return [
    channelCase(
      "document-web",
      "did:web: the document lies at the host",
      {
        value: handle,
        web: [
          { url: wellKnown, body: web },
          { url: "https://id.example.com/.well-known/did.json", body: documentOf(web) },
          ...placeOf(web, { profile: profileOf(proof, web) }),
        ],
      },
      found(web, [[proof, `https://bsky.app/profile/${web}`]]),
    ),
    channelCase(
      "document-case",
      "names are compared without case",
      document({ alsoKnownAs: [`at://${handle.toUpperCase()}`] }),
      shown,
    ),
    channelCase(
      "document-first",
      "the first well-formed name counts",
      document({ alsoKnownAs: ["https://example.com", "at://-", `at://${handle}`, "at://other.example.com"] }),
      shown,
    ),
    channelCase(
      "document-second",
      "a second name is none",
      document({ alsoKnownAs: ["at://other.example.com", `at://${handle}`] }),
      invalid("account.one_sided", "other.example.com"),
    ),
    channelCase(
      "document-nameless",
      "the account does not name the handle",
      document({ alsoKnownAs: [] }),
      invalid("account.one_sided"),
    ),
    channelCase("document-id", "the document of another DID", document({ id: otherDid }), invalid("account.id")),
    channelCase("document-404", "no such DID", account({ document: { url: plc, status: 404, body: {} } }), absent()),
    channelCase(
      "document-410",
      "a DID that was closed",
      account({ document: { url: plc, status: 410, body: {} } }),
      absent(),
    ),
    channelCase(
      "document-500",
      "a directory that fails is no answer",
      account({ document: { url: plc, status: 500, body: {} } }),
      unreachable("net.status"),
    ),
    channelCase(
      "document-redirect",
      "a directory that sends elsewhere has not answered",
      account({ document: { url: plc, body: documentOf(), finalUrl: `https://other.example/${did}` } }),
      unreachable("net.redirect"),
    ),
    channelCase(
      "document-page",
      "a page is no document",
      account({ document: { url: plc, body: "<html>", headers: { "content-type": "text/html" } } }),
      unreachable("net.content_type"),
    ),
    channelCase(
      "server-full-id",
      "the service named with the DID",
      document(service("https://pds.example.com", undefined, `${did}#atproto_pds`)),
      shown,
    ),
    channelCase("server-none", "no service, no place for a proof", document({ service: [] }), absent()),
    channelCase("server-http", "a server without TLS is none", document(service("http://pds.example.com")), absent()),
    channelCase("server-path", "a server is an origin", document(service("https://pds.example.com/x")), absent()),
    channelCase(
      "server-type",
      "a service of another type",
      document(service("https://pds.example.com", "Other")),
      absent(),
    ),
  ]
}

function movedCases(): readonly VectorCase[] {
  const gone = { host: none, document: { url: plc, body: { ...documentOf(), alsoKnownAs: ["at://new.example.com"] } } }
  const former = {
    url: `https://plc.directory/${otherDid}`,
    body: { ...documentOf(otherDid), alsoKnownAs: ["at://first.example.com"] },
  }
  const taken = (place: object) => {
    const input = account(place)
    return { ...input, known_account_id: otherDid, web: [...(input.web ?? []), former] }
  }
  return [
    channelCase(
      "renamed",
      "the name leads nowhere; the account known has another one",
      { ...account(gone), known_account_id: did },
      invalid("account.renamed", "new.example.com"),
    ),
    channelCase("renamed-unknown", "nobody knows which account had the name", account(gone), absent()),
    channelCase(
      "lost",
      "the account known still has the name, which does not lead there",
      { ...account({ host: none }), known_account_id: did },
      absent(),
    ),
    channelCase(
      "taken-over",
      "the name leads to another account now, which holds a proof: core compares the number",
      taken(withProof),
      shown,
    ),
    channelCase(
      "taken-over-bare",
      "the name leads to another account now, which holds none",
      taken({ posts: [postOf("hello", "3kabcdefghij2")] }),
      invalid("account.changed", "first.example.com"),
    ),
    channelCase(
      "taken-over-closed",
      "the name leads to a DID without a document",
      taken({ document: { url: plc, status: 404, body: {} } }),
      invalid("account.changed", "first.example.com"),
    ),
  ]
}
