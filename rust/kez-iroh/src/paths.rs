//! Which way the bytes of a connection go.

use iroh::endpoint::Connection;

/// `direct`, `relay`, or `none` while no path is chosen.
pub fn kind(connection: &Connection) -> &'static str {
    let paths = connection.paths();
    let chosen = paths.iter().find(|path| path.is_selected()).or_else(|| paths.iter().next());
    match chosen {
        Some(path) if path.remote_addr().is_relay() => "relay",
        Some(_) => "direct",
        None => "none",
    }
}
