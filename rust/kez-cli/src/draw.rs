//! A graph as a drawing: Graphviz, SVG, or one page of HTML. All texts in them are escaped; nothing is fetched.

use clap::ArgMatches;
use data_encoding::BASE64;
use kez_core::Json;
use kez_core::digest::sha256;

use crate::outcome::{Failure, Outcome};

/// How the graph is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A tree.
    Text,
    /// For Graphviz.
    Dot,
    /// A picture that stands alone.
    Svg,
    /// The picture and a table.
    Html,
}

impl Form {
    /// By the options, else by the ending of `--out`.
    pub fn read(matches: &ArgMatches, is_json: bool) -> Outcome<Form> {
        let named = [("dot", Form::Dot), ("svg", Form::Svg), ("html", Form::Html)];
        let mut asked = named.into_iter().filter(|(name, _)| matches.get_flag(name)).map(|(_, form)| form);
        let out = matches.get_one::<String>("out");
        match (asked.next(), asked.next()) {
            (None, _) => Ok(out.map_or(Form::Text, |path| Form::of_file(path))),
            (Some(form), None) if !is_json || out.is_some() => Ok(form),
            _ => Err(Failure::usage("Cannot draw the graph: expected one of --json, --dot, --svg, --html")
                .hint("A drawing beside the JSON goes to a file: --json --out graph.svg")),
        }
    }

    fn of_file(path: &str) -> Form {
        match path.rsplit('.').next().unwrap_or_default() {
            "svg" => Form::Svg,
            "html" | "htm" => Form::Html,
            "dot" | "gv" => Form::Dot,
            _ => Form::Text,
        }
    }
}

/// One thing beside the identity.
struct Row {
    name: String,
    word: String,
    tone: String,
    is_proven: bool,
}

struct Drawing {
    primary: String,
    history: String,
    accounts: Vec<Row>,
    devices: Vec<Row>,
    checked_at: String,
}

/// The drawing of the members of `kez.graph/1`.
pub fn draw(data: &Json, form: Form) -> String {
    let drawing = Drawing::read(data);
    match form {
        Form::Svg => drawing.svg(true),
        Form::Html => drawing.html(),
        _ => drawing.dot(),
    }
}

fn member<'a>(value: &'a Json, path: &[&str]) -> Option<&'a Json> {
    path.iter().try_fold(value, |value, name| value.as_object()?.get(*name))
}

fn text(value: &Json, path: &[&str]) -> String {
    member(value, path).and_then(Json::as_str).unwrap_or_default().to_owned()
}

fn rows(value: &Json, name: &str) -> Vec<Json> {
    match member(value, &[name]) {
        Some(Json::Array(rows)) => rows.clone(),
        _ => Vec::new(),
    }
}

/// The beginning and the end of a key.
fn short(key: &str) -> String {
    let (system, value) = key.split_once(':').unwrap_or(("", key));
    match (value.get(..8), value.get(value.len().saturating_sub(4)..)) {
        (Some(start), Some(end)) if value.len() > 20 => format!("{system}:{start}…{end}"),
        _ => key.to_owned(),
    }
}

impl Drawing {
    fn read(data: &Json) -> Drawing {
        let account = |row: &Json| Row {
            name: text(row, &["subject"]),
            word: format!("{} {}", text(row, &["badge", "glyph"]), text(row, &["badge", "word"])),
            tone: text(row, &["badge", "tone"]),
            is_proven: member(row, &["proven"]) == Some(&Json::Bool(true)),
        };
        let device = |row: &Json| {
            let is_suspended = member(row, &["suspended"]) == Some(&Json::Bool(true));
            let (word, tone) = if is_suspended { ("! suspended", "warn") } else { ("device", "muted") };
            let name = short(&text(row, &["key"]));
            Row { name, word: word.to_owned(), tone: tone.to_owned(), is_proven: !is_suspended }
        };
        let history = match text(data, &["identity", "chain", "status"]).as_str() {
            "ok" => "✓ one history",
            "contested" => "! a fork, decided by its rules",
            "fork" => "✗ two histories",
            _ => "no chain is known",
        };
        Drawing {
            primary: text(data, &["identity", "primary"]),
            history: history.to_owned(),
            accounts: rows(data, "accounts").iter().map(account).collect(),
            devices: rows(data, "devices").iter().map(device).collect(),
            checked_at: text(data, &["checked_at"]),
        }
    }

    fn all(&self) -> impl Iterator<Item = (&'static str, usize, &Row)> {
        let accounts = self.accounts.iter().enumerate().map(|(at, row)| ("a", at, row));
        accounts.chain(self.devices.iter().enumerate().map(|(at, row)| ("d", at, row)))
    }

    fn dot(&self) -> String {
        let mut dot = format!(
            "graph kez {{\n  graph [layout=\"twopi\", root=\"identity\", overlap=\"false\", ranksep=\"2.4\"]\n  \
             node [shape=\"box\", style=\"rounded\", fontname=\"sans-serif\", fontsize=\"11\"]\n  \
             identity [label={}]\n",
            quote(&format!("{}\n{}", short(&self.primary), self.history))
        );
        for (kind, at, row) in self.all() {
            let style = if row.is_proven { "solid" } else { "dotted" };
            let label = quote(&format!("{}\n{}", row.name, row.word));
            dot.push_str(&format!("  {kind}{at} [label={label}]\n  identity -- {kind}{at} [style=\"{style}\"]\n"));
        }
        dot + "}\n"
    }

    fn svg(&self, is_alone: bool) -> String {
        let count = self.accounts.len() + self.devices.len();
        let height = 120 + 64 * count;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"kez\" width=\"640\" height=\"{height}\" \
             viewBox=\"0 0 640 {height}\" role=\"img\" aria-labelledby=\"kez-title\">\n\
             <title id=\"kez-title\">Identity graph of {}</title>\n",
            escape(&self.primary)
        );
        if is_alone {
            svg.push_str(&format!("<style>{STYLE}</style>\n"));
        }
        svg.push_str("<rect class=\"paper\" width=\"100%\" height=\"100%\" rx=\"12\"/>\n");
        svg.push_str(&card(24, 20, 592, "identity", &short(&self.primary), &self.history, "ink"));
        for (at, (_, _, row)) in self.all().enumerate() {
            let y = 100 + 64 * at;
            let dash = if row.is_proven { "" } else { " far" };
            svg.push_str(&format!("<path class=\"link{dash}\" d=\"M44 74V{}H72\"/>\n", y + 26));
            svg.push_str(&card(72, y, 544, "card", &row.name, &row.word, &row.tone));
        }
        svg + "</svg>\n"
    }

    fn html(&self) -> String {
        let hash = BASE64.encode(&sha256(STYLE));
        let mut table = String::new();
        for (_, _, row) in self.all() {
            let (name, word) = (escape(&row.name), escape(&row.word));
            table.push_str(&format!("<tr><th scope=\"row\"><bdi>{name}</bdi></th><td>{word}</td></tr>\n"));
        }
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{hash}'; \
             base-uri 'none'; form-action 'none'\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title} · KEZ</title>\n<style>{STYLE}</style>\n\
             </head>\n<body>\n<main>\n<h1><bdi>{title}</bdi></h1>\n<p>{history}. Looked at {at}.</p>\n{svg}\
             <table><caption>Accounts and devices</caption>\n<tbody>\n{table}</tbody></table>\n\
             <p>A proof means the same owner as that account, never who that is.</p>\n</main>\n</body>\n</html>\n",
            title = escape(&short(&self.primary)),
            history = escape(&self.history),
            at = escape(&self.checked_at),
            svg = self.svg(false),
        )
    }
}

/// Colours for a light and a dark screen.
const STYLE: &str = ".kez text{font:13px system-ui,sans-serif}.kez .strong{font-weight:600}.kez .paper{fill:#f7f6f3}\
.kez .card,.kez .identity{fill:#fff;stroke:#d9d6cf}.kez .identity{stroke:#3447c9;stroke-width:2}.kez .link{fill:none;\
stroke:#66635d;stroke-width:1.5}.kez .far{stroke-dasharray:2 6}.kez .ink{fill:#1d1c1a}.kez .good{fill:#17703f}\
.kez .warn{fill:#8a5a00}.kez .bad{fill:#b42318}.kez .muted{fill:#66635d}body{font:16px/1.5 system-ui,sans-serif;\
margin:0 auto;max-width:45rem;padding:1rem}h1{font-size:1.4rem;overflow-wrap:anywhere}svg{max-width:100%;height:auto}\
th{text-align:start;padding-inline-end:1.5rem}@media (prefers-color-scheme:dark){body{background:#141518;color:#eceae6}\
.kez .paper{fill:#141518}.kez .card,.kez .identity{fill:#1e2024;stroke:#3a3d44}.kez .identity{stroke:#a3b1ff}\
.kez .ink{fill:#eceae6}.kez .good{fill:#5fd092}.kez .warn{fill:#e6b450}.kez .bad{fill:#ff8a80}.kez .muted{fill:#a5a29b}}";

fn card(x: usize, y: usize, width: usize, class: &str, name: &str, word: &str, tone: &str) -> String {
    let tone = if ["good", "warn", "bad", "muted", "ink"].contains(&tone) { tone } else { "muted" };
    format!(
        "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"54\" rx=\"10\"/>\
         <text class=\"ink strong\" x=\"{}\" y=\"{}\">{}</text><text class=\"{tone}\" x=\"{0}\" y=\"{}\">{}</text>\n",
        x + 16,
        y + 23,
        escape(name),
        y + 42,
        escape(word),
    )
}

/// Text for XML and HTML.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            character if character.is_control() => {}
            character => escaped.push(character),
        }
    }
    escaped
}

/// A string of DOT.
fn quote(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::object;

    #[test]
    fn texts_are_escaped_in_every_form() {
        let row = object! {
            "subject" => "dns:a<b>&\"c".to_owned(), "proven" => true,
            "badge" => object! { "glyph" => "✓".to_owned(), "word" => "proven".to_owned(), "tone" => "good".to_owned() },
        };
        let data = object! { "accounts" => vec![row], "identity" => object! { "primary" => "ed25519:aa".to_owned() } };
        assert!(draw(&data, Form::Dot).contains("label=\"dns:a<b>&\\\"c\\n✓ proven\""));
        for form in [Form::Svg, Form::Html] {
            let drawn = draw(&data, form);
            assert!(drawn.contains("dns:a&lt;b&gt;&amp;&quot;c") && !drawn.contains("<b>"), "{drawn}");
        }
        assert_eq!(short("ed25519:cc99d06b15ccb83a5ca43f25dd3d27f5"), "ed25519:cc99d06b…27f5");
    }
}
