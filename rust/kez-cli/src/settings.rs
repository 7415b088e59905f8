//! `config.toml`: what is in force where neither an option nor the environment says otherwise. `kez help environment`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kez_channels::{ResolverSettings, Url};
use kez_core::{Code, names};
use toml::{Table, Value};

use crate::claim::parse_duration;
use crate::home;
use crate::outcome::{Failure, Outcome};

/// Stores that are asked at most.
pub const MAX_STORES: usize = 8;
/// The most that the file may hold.
const MAX_BYTES: usize = 1_048_576;

/// The settings of the file, those of the profile first; none where it does not say.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `auto`, `always` or `never`.
    pub color: Option<String>,
    /// Append-only text.
    pub plain: Option<bool>,
    /// Nobody is to be asked.
    pub no_input: Option<bool>,
    /// DNS servers.
    pub resolver: Option<ResolverSettings>,
    /// Base URLs by host. NET-1.
    pub hosts: BTreeMap<String, Url>,
    /// Relays that the reader named; none where the suggested ones are asked.
    pub relays: Vec<Url>,
    /// Sigchain stores.
    pub stores: Vec<Url>,
    /// Public DNS servers that are asked whether a record is seen.
    pub public_resolvers: Option<Vec<String>>,
    /// How long a key stays unlocked, as it is written there: only who unlocks a key needs it.
    pub unlock_for: Option<String>,
    /// Which profile, where nothing else says it.
    pub profile: Option<String>,
}

impl Settings {
    /// The settings of `config.toml`, if there is one: `input.unreadable` where it is no TOML, `usage` for a setting that is
    /// not one. `profile` is the one that an option or the environment names.
    pub fn load(profile: Option<&str>) -> Outcome<Settings> {
        let Some(path) = path() else { return Ok(Settings::default()) };
        let Some(bytes) = home::read(&path)? else { return Ok(Settings::default()) };
        let shown = path.display().to_string();
        let unreadable = |what: &str| Failure::new(Code::InputUnreadable, format!("Cannot read {shown}: {what}"));
        if bytes.len() > MAX_BYTES {
            return Err(unreadable("it is too long"));
        }
        let text = std::str::from_utf8(&bytes).map_err(|_| unreadable("expected UTF-8"))?;
        let table: Table = text.parse().map_err(|_| unreadable("expected a TOML document"))?;
        Reader { shown: &shown }.read(&table, profile)
    }
}

/// `KEZ_HOME`, else `kez` in `XDG_CONFIG_HOME`, else in `~/.config`.
fn path() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = variable("KEZ_HOME")
        .or_else(|| Some(variable("XDG_CONFIG_HOME")?.join("kez")))
        .or_else(|| Some(variable("HOME")?.join(".config/kez")))?;
    Some(folder.join("config.toml"))
}

/// A URL of a store: http or https, without user, password, query and fragment.
pub fn store_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_plain = url.username().is_empty() && url.password().is_none();
    let is_base = url.query().is_none() && url.fragment().is_none();
    (matches!(url.scheme(), "http" | "https") && url.has_host() && is_plain && is_base).then_some(url)
}

/// A URL of a relay: ws or wss.
pub fn relay_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    (matches!(url.scheme(), "ws" | "wss") && url.has_host()).then_some(url)
}

struct Reader<'a> {
    shown: &'a str,
}

impl Reader<'_> {
    fn read(&self, table: &Table, named: Option<&str>) -> Outcome<Settings> {
        let mut settings = Settings::default();
        let mut profiles = None;
        for (name, value) in table {
            match name.as_str() {
                "profiles" => profiles = Some(value),
                "profile" => settings.profile = Some(self.profile(value)?),
                _ => self.keep(&mut settings, name, value)?,
            }
        }
        let Some(profiles) = profiles else { return Ok(settings) };
        let expected = "profiles to be tables such as [profiles.work]";
        let profiles = profiles.as_table().ok_or_else(|| self.wrong(expected))?;
        let chosen = named.map(str::to_owned).or_else(|| settings.profile.clone());
        for (name, value) in profiles {
            let table = value.as_table().filter(|_| home::was_name(name));
            let table = table.ok_or_else(|| self.wrong(&format!("profiles.{name} to be a table [profiles.NAME]")))?;
            // Those of other profiles are checked all the same.
            let mut other = Settings::default();
            let into = if chosen.as_deref() == Some(name) { &mut settings } else { &mut other };
            for (name, value) in table {
                self.keep(into, name, value)?;
            }
        }
        Ok(settings)
    }

    fn keep(&self, settings: &mut Settings, name: &str, value: &Value) -> Outcome<()> {
        match name {
            "color" => {
                let is_known = |text: &&str| ["auto", "always", "never"].contains(text);
                let color = value.as_str().filter(is_known);
                settings.color = Some(color.ok_or_else(|| self.wrong("color to be auto, always or never"))?.to_owned());
            }
            "plain" => settings.plain = Some(self.boolean(name, value)?),
            "no_input" => settings.no_input = Some(self.boolean(name, value)?),
            "resolver" => {
                let servers = texts(value).filter(|servers| servers.iter().all(|it| !it.contains(',')));
                let parsed = servers.and_then(|servers| match servers.is_empty() {
                    true => Some(ResolverSettings::System),
                    false => ResolverSettings::parse(&servers.join(",")),
                });
                settings.resolver = Some(parsed.ok_or_else(|| self.wrong("resolver to be a list of servers"))?);
            }
            "hosts" => settings.hosts = self.hosts(value)?,
            "relays" => {
                let expected = "relays to be a list of wss:// or ws:// URLs";
                settings.relays = urls(value, relay_url).ok_or_else(|| self.wrong(expected))?;
            }
            "stores" => {
                let expected = "stores to be a list of at most 8 https:// URLs of sigchain stores";
                let stores = urls(value, store_url).filter(|stores| stores.len() <= MAX_STORES);
                settings.stores = stores.ok_or_else(|| self.wrong(expected))?;
            }
            "public_resolvers" => {
                let expected = "public_resolvers to be a list of DNS servers such as 9.9.9.9 or [::1]:53";
                let servers = texts(value).filter(|all| {
                    all.iter().all(|it| !it.contains([',', '/']) && ResolverSettings::parse(it).is_some())
                });
                settings.public_resolvers = Some(servers.ok_or_else(|| self.wrong(expected))?);
            }
            "unlock_for" => {
                let time = value.as_str().filter(|text| parse_duration(text).is_some());
                let time = time.ok_or_else(|| self.wrong("unlock_for to be a time such as 15m or 8h"))?;
                settings.unlock_for = Some(time.to_owned());
            }
            _ => {
                let message = format!("Cannot use {}: there is no setting \"{name}\"", self.shown);
                return Err(Failure::usage(message).hint("kez config show --origin lists all settings."));
            }
        }
        Ok(())
    }

    fn boolean(&self, name: &str, value: &Value) -> Outcome<bool> {
        value.as_bool().ok_or_else(|| self.wrong(&format!("{name} to be true or false")))
    }

    fn profile(&self, value: &Value) -> Outcome<String> {
        let name = value.as_str().filter(|name| home::was_name(name));
        name.map(str::to_owned).ok_or_else(|| self.wrong("profile to be the name of a profile"))
    }

    fn hosts(&self, value: &Value) -> Outcome<BTreeMap<String, Url>> {
        let host = |(host, value): (&String, &Value)| {
            let is_host = host == "localhost" || names::is_domain(host);
            let url = value.as_str().and_then(store_url);
            Some((host.clone(), url.filter(|_| is_host)?))
        };
        let hosts = value.as_table().and_then(|table| table.iter().map(host).collect());
        hosts.ok_or_else(|| self.wrong("hosts to be a table such as localhost = \"http://127.0.0.1:7878\""))
    }

    fn wrong(&self, expected: &str) -> Failure {
        Failure::usage(format!("Cannot use {}: expected {expected}", self.shown))
    }
}

fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

fn urls(value: &Value, read: impl Fn(&str) -> Option<Url>) -> Option<Vec<Url>> {
    texts(value)?.iter().map(|text| read(text)).collect()
}
