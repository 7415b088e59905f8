/** The page of a handle: who it is, which accounts the chain lists, and how to check that. Plain HTML: nothing on it runs. */
import type { ChainReplay } from "@kez/core"
import { didKeyOf } from "@kez/core/directory"
import type { HandleRow } from "../directory/handles.ts"
import { type AccountLink, accountLink } from "./account-link.ts"
import { type Html, html } from "./html.ts"
import { style } from "./style.ts"

export interface ProfileOptions {
  readonly row: HandleRow
  readonly domain: string
  readonly baseUrl: string
  /** Undefined: the stores that this server asks did not tell. */
  readonly chain: ChainReplay | undefined
}

export function profilePage({ row, domain, baseUrl, chain }: ProfileOptions): string {
  const { handle } = row
  const subject = `kez:${handle}@${domain}`
  const body = html`<div class="card">
<header><div class="sign" aria-hidden="true">${handle.slice(0, 1)}</div><div><h1>@${handle}</h1><p>on ${domain}</p></div></header>
${accountsOf(chain, subject)}
<h2>Keys</h2>
<dl>
<div><dt>Chain</dt><dd><code>${row.chain}</code></dd></div>
<div><dt>Key</dt><dd><code>${chain?.state.primary ?? row.primary}</code></dd></div>
<div><dt>DID</dt><dd><code>${didKeyOf(chain?.state.primary ?? row.primary)}</code></dd></div>
</dl>
<h2>Check it yourself</h2>
<p class="note">This page repeats what ${handle} signed; the server checked none of the accounts. Your own computer can:</p>
<pre><code>kez verify id ${subject}</code></pre>
</div>
<footer><a href="${baseUrl}/v1/handles/${handle}">Registration and its proof</a></footer>`
  return page({ title: `@${handle}@${domain}`, body, canonical: `${baseUrl}/@${handle}` })
}

function accountsOf(chain: ChainReplay | undefined, own: string): Html {
  if (chain === undefined) {
    return html`<h2>Accounts</h2>
<p class="note">The sigchain could not be read just now, so no accounts are shown. Try again in a minute.</p>`
  }
  if (chain.status === "fork") {
    return html`<h2>Accounts</h2>
<p class="note">The sigchain has two conflicting histories, and its owner has not settled them. No accounts are shown.</p>`
  }
  const links = [...chain.state.subjects.values()]
    .filter(({ status, subject }) => status === "active" && subject !== own)
    .flatMap(({ subject }) => accountLink(subject) ?? [])
  if (links.length === 0) return html`<h2>Accounts</h2><p class="note">None listed yet.</p>`
  return html`<h2>Accounts</h2>
<ul>${links.map(formatAccount)}</ul>`
}

function formatAccount({ place, name, url }: AccountLink): Html {
  const shown = url === undefined ? html`<code>${name}</code>` : html`<a rel="me noopener" href="${url}">${name}</a>`
  return html`<li><span>${place}</span>${shown}</li>
`
}

/** Of a handle that is given up, or that nobody has. */
export function absentPage({ title, text }: { readonly title: string; readonly text: string }): string {
  return page({
    title,
    body: html`<div class="card"><h1>${title}</h1><p class="note">${text}</p></div>`,
    canonical: undefined,
  })
}

interface Page {
  readonly title: string
  readonly body: Html
  readonly canonical: string | undefined
}

function page({ title, body, canonical }: Page): string {
  const link = canonical === undefined ? undefined : html`<link rel="canonical" href="${canonical}">`
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
${link}
<style>${{ html: style }}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`.html
}
