//! `kez-iroh`: moves files between endpoints with iroh and iroh-blobs. It is driven by lines of JSON on its stdin and answers on its
//! stdout; the bytes of files go neither way. PROTOCOL.md. It ends when its stdin closes.
#![forbid(unsafe_code)]

mod answer;
mod engine;
mod fetch;
mod grants;
mod import;
mod limits;
mod lines;
mod meter;
mod names;
mod node;
mod output;
mod paths;
mod refusal;
mod serve;
mod space;
mod store;
mod wire;

use std::io::Write;
use std::process::ExitCode;

const USAGE: &str = "kez-iroh moves files between endpoints. It is started by kez, which writes requests to its stdin, one JSON object a line.\n\
    kez-iroh --version\n";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (None, _) => run(),
        (Some("--version"), None) => say(&format!("kez-iroh {}\n", env!("CARGO_PKG_VERSION"))),
        (Some("--help" | "-h"), None) => say(USAGE),
        _ => {
            std::io::stderr().write_all(USAGE.as_bytes()).ok();
            ExitCode::from(2)
        }
    }
}

fn say(text: &str) -> ExitCode {
    if std::io::stdout().write_all(text.as_bytes()).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run() -> ExitCode {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).max_blocking_threads(32).enable_all().build();
    let Ok(runtime) = runtime else { return ExitCode::FAILURE };
    let code = runtime.block_on(engine::serve());
    // A thread that waits for stdin must not hold the process back.
    runtime.shutdown_background();
    code
}
