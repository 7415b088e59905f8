//! Clients shorten the links that they show; the rest of a `Chain: ` line is put back whole. SPEC BSKY-7.

use crate::finding::is_hint_url;
use crate::json::Value;
use crate::limits::MAX_MEMBERS;

const LINK: &str = "app.bsky.richtext.facet#link";
const HINT: &str = "Chain: ";

/// The text of a post with each link that is all of a hint's URL in the place of what is shown.
pub fn restore_hint_links(text: &str, post: &Value) -> String {
    let facets = post.list("facets").unwrap_or_default().iter().take(MAX_MEMBERS);
    let mut links: Vec<_> = facets.filter_map(|facet| hint_link(text, facet)).collect();
    // From the end, so that the ranges before stay what they are; of ranges that overlap none is a whole line twice.
    links.sort_by_key(|(start, ..)| std::cmp::Reverse(*start));
    links.dedup_by_key(|(start, ..)| *start);
    let mut restored = text.to_owned();
    for (start, end, url) in links {
        restored.replace_range(start..end, url);
    }
    restored
}

/// Range and URL of a link that is the rest of a hint line.
fn hint_link<'a>(text: &str, facet: &'a Value) -> Option<(usize, usize, &'a str)> {
    let index = facet.get("index")?;
    let start = usize::try_from(index.integer("byteStart")?).ok()?;
    let end = usize::try_from(index.integer("byteEnd")?).ok()?;
    let (before, shown_on) = text.split_at_checked(start)?;
    let (_, after) = shown_on.split_at_checked(end.checked_sub(start)?)?;
    let is_line = before.rsplit('\n').next() == Some(HINT) && (after.is_empty() || after.starts_with('\n'));
    let features = facet.list("features")?.iter();
    let url = features.filter(|feature| feature.text("$type") == Some(LINK)).find_map(|feature| feature.text("uri"))?;
    (is_line && is_hint_url(url)).then_some((start, end, url))
}
